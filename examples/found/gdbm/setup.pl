use strict;
use warnings;
use GDBM_File;

tie my %db, 'GDBM_File', 'data.gdbm', GDBM_NEWDB | GDBM_NOMMAP, 0644 or die;
$db{"old$_"} = "value $_" for 1 .. 20;
untie %db;
