# The database opens, has the old keys, and each key that was told.
use strict;
use warnings;
use GDBM_File;

open my $acks, '<', $ENV{HOLDFAST_ACKS} or die;
my @told = map { chomp; $_ } <$acks>;
tie my %db, 'GDBM_File', 'data.gdbm', GDBM_READER | GDBM_NOMMAP, 0644 or do { print "cannot be opened\n"; exit 1 };
my ($bad) = grep { ($db{"old$_"} // '') ne "value $_" } 1 .. 20;
if (defined $bad) { print "an old key is gone or damaged\n"; exit 1 }
for my $key (@told) {
    if (($db{$key} // '') ne "new $key") { print "a stored key is gone\n"; exit 1 }
}
