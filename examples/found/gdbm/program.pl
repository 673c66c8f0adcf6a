# Stores keys; each is told when the store returned. Without mapped memory, which cannot be recorded.
use strict;
use warnings;
use GDBM_File;

$| = 1;
tie my %db, 'GDBM_File', 'state/data.gdbm', GDBM_WRITER | GDBM_SYNC | GDBM_NOMMAP, 0644 or die;
for my $key (qw(a b)) {
    $db{$key} = "new $key";
    print "$key\n";
}
untie %db;
