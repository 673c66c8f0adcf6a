/**
 * The keeper: a small Perl program that makes the system calls Node has no function for (mount, umount, the
 * ioctls of loop devices, sync_file_range) without a process for each, and that owns everything a rig attaches.
 * Perl's base package is on every Debian system, so nothing is compiled and nothing is installed. This file is
 * its text; `keeper.ts` speaks with it.
 *
 * What keeps a dead rig from leaving anything behind:
 * 1. Mounts live in a mount namespace of the keeper's own; they end with it at the latest.
 * 2. Programs run in a process namespace; when its first process dies, the kernel ends all of them.
 * 3. When standard input ends (the rig is gone, however it died), the keeper takes all down in order.
 * 4. When the keeper itself is killed, its children die by signal, and its loop devices free themselves when
 *    their last mount goes; only files in the work directory stay, and the next start sweeps those
 *    (`work-directory.ts`).
 * 5. A server has a mount namespace of its own, without the disks that are mounted from what it serves. Were it
 *    the last process to hold such a mount, its end would unmount a disk whose last writes only it could take:
 *    it would wait for itself, and everything that looks at loop devices would wait for it.
 *
 * A request is one line of words, percent-encoded, and a space between them; so is its answer, which begins with
 * `ok` or with `error NUMBER TEXT`. Requests are answered in order.
 */

/** The text of the program, for `perl -e`. Its argument is the work directory, removed at the end. */
export const keeperScript: string = String.raw`
use strict; use warnings; use POSIX ();
my ($work) = @ARGV;
$| = 1;
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE QUIT);
my $machine = (POSIX::uname())[4];
my %calls = (
  x86_64  => { mount => 165, umount => 166, unshare => 272, clone => 56, prctl => 157,
               sync_file_range => 277, syncfs => 306 },
  aarch64 => { mount => 40, umount => 39, unshare => 97, clone => 220, prctl => 167,
               sync_file_range => 84, syncfs => 267 },
);
my $call = $calls{$machine} or fatal("no system call numbers for $machine");
my (%mounts, @mount_order, %loops, %children, $init);

sub encode { my $t = shift; $t =~ s/([^A-Za-z0-9_.,:=\/+-])/sprintf('%%%02x', ord $1)/ge;
             return length $t ? $t : '%'; }
sub decode { my $t = shift; return '' if $t eq '%';
             $t =~ s/%([0-9a-f]{2})/chr hex $1/ge; return $t; }
sub answer { print join(' ', map { encode($_) } @_), "\n"; }
sub fatal { answer('error', $! + 0, shift); exit 1; }
sub check { my ($result, $what) = @_; die { number => $! + 0, text => "$what: $!" } if $result != 0; }

sub do_mount { my ($source, $target, $type, $flags, $data) = @_;
  my $number = $flags + 0;
  check(syscall($call->{mount}, $source, $target, $type, $number, $data), "mount $source");
  $mounts{$target} = 1; push @mount_order, $target; }
sub do_umount { my ($target, $flags) = @_;
  my $number = ($flags || 0) + 0;
  check(syscall($call->{umount}, $target, $number), "unmount $target");
  delete $mounts{$target}; @mount_order = grep { $_ ne $target } @mount_order; }

# The device goes with its last user; until then the handle kept here holds it.
sub attach { my ($file) = @_; my $autoclear = 4;
  open(my $backing, '+<', $file) or die { number => $! + 0, text => "open $file: $!" };
  open(my $control, '+<', '/dev/loop-control')
    or die { number => $! + 0, text => "open /dev/loop-control: $!" };
  for my $try (1 .. 64) {
    my $free = ioctl($control, 0x4C82, 0);
    defined $free or die { number => $! + 0, text => "no free loop device: $!" };
    my $path = '/dev/loop' . ($free + 0);
    my $loop;
    if (!open($loop, '+<', $path)) {
      die { number => $! + 0, text => "open $path: $!" } unless $! == POSIX::ENOENT();
      # Its node comes a moment after the device, and others take and leave devices meanwhile.
      select(undef, undef, undef, 0.01); next; }
    my $config = pack('LL', fileno($backing), 512) . pack('Q5L4a64a64a32Q2',
      0, 0, 0, 0, 0, 0, 0, 0, $autoclear, substr($file, -63), '', '', 0, 0) . ("\0" x 64);
    if (ioctl($loop, 0x4C0A, $config)) { $loops{$path} = $loop; return $path; }
    die { number => $! + 0, text => "attach $path: $!" } unless $! == POSIX::EBUSY();
  }
  die { number => POSIX::EBUSY(), text => 'no free loop device' }; }
sub detach { my ($path) = @_;
  open(my $loop, '+<', $path) or die { number => $! + 0, text => "open $path: $!" };
  ioctl($loop, 0x4C01, 0) or die { number => $! + 0, text => "detach $path: $!" };
  close $loop; delete $loops{$path}; }

sub extents { my ($file) = @_; my @found; my $end = -s $file; my $at = 0;
  open(my $in, '<', $file) or die { number => $! + 0, text => "open $file: $!" };
  while ($at < $end) {
    my $data = sysseek($in, $at, 3); last unless defined $data;
    my $hole = sysseek($in, $data + 0, 4); $hole = $end unless defined $hole;
    push @found, $data + 0, $hole + 0; $at = $hole + 0;
  }
  return @found; }

sub start { my ($errors, @command) = @_;
  my $child = fork(); defined $child or die { number => $! + 0, text => "fork: $!" };
  if ($child == 0) {
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE QUIT);
    syscall($call->{prctl}, 1, 9, 0, 0, 0);
    open(STDIN, '<', '/dev/null'); open(STDOUT, '>', '/dev/null'); open(STDERR, '>', $errors);
    my ($own_mounts, $lazy) = (0x20000, 2);
    syscall($call->{unshare}, $own_mounts) == 0 or POSIX::_exit(126);
    for my $target (reverse @mount_order) { syscall($call->{umount}, $target, $lazy); }
    exec { $command[0] } @command or POSIX::_exit(127);
  }
  $children{$child} = 1; return $child; }
sub stop { my ($child, $patience) = @_;
  return '' unless delete $children{$child};
  kill 'TERM', $child;
  for (1 .. $patience * 100) {
    return $? if waitpid($child, POSIX::WNOHANG()) != 0;
    select(undef, undef, undef, 0.01);
  }
  kill 'KILL', $child; waitpid($child, 0); return $?; }

sub with_file { my ($file, $what, $do) = @_;
  open(my $handle, '<', $file) or die { number => $! + 0, text => "open $file: $!" };
  check($do->(fileno $handle), "$what $file"); }

sub start_namespace {
  pipe(my $ready, my $tell);
  my $flags = 0x20000000 | 17; my $zero = 0;
  my $pid = syscall($call->{clone}, $flags, $zero, $zero, $zero, $zero);
  die { number => $! + 0, text => "clone: $!" } if $pid < 0;
  if ($pid == 0) {
    close $ready; $SIG{CHLD} = 'IGNORE';
    syscall($call->{prctl}, 1, 9, 0, 0, 0);
    my ($type, $target, $data) = ('proc', '/proc', '');
    my $none = 0;
    syscall($call->{mount}, $type, $target, $type, $none, $data);
    open(STDIN, '<', '/dev/null'); open(STDOUT, '>', '/dev/null');
    print $tell 'x'; close $tell;
    sleep 1000000 while 1;
  }
  close $tell; read($ready, my $byte, 1); $init = $pid; return $pid; }
sub end_programs { return unless $init; kill 'KILL', $init; waitpid($init, 0); undef $init; }

sub remove_tree { my ($path) = @_;
  if (-l $path || !-d _) { unlink $path; return; }
  if (opendir(my $in, $path)) {
    my @names = grep { $_ ne '.' && $_ ne '..' } readdir $in; closedir $in;
    remove_tree("$path/$_") for @names;
  }
  rmdir $path; }
sub take_down {
  end_programs();
  for my $target (reverse @mount_order) {
    eval { do_umount($target); 1 } or eval { do_umount($target, 2); };
  }
  eval { detach($_); } for keys %loops;
  stop($_, 5) for keys %children;
  remove_tree($work) if length $work; }

my %requests = (
  mount => sub { do_mount(@_); () }, umount => sub { do_umount(@_); () },
  attach => sub { attach(@_) }, detach => sub { detach(@_); () },
  extents => sub { extents(@_) }, start => sub { start(@_) }, stop => sub { stop(@_) },
  namespace => sub { start_namespace() }, end => sub { end_programs(); () },
  alive => sub { waitpid($_[0] + 0, POSIX::WNOHANG()) == 0 ? 1 : 0 },
  writeback => sub { with_file($_[0], 'write back', sub { my $fd = shift;
    syscall($call->{sync_file_range}, $fd, 0, 0, 7) }); () },
  btrfscommit => sub { with_file($_[0], 'commit', sub { my $fd = shift;
    my $started = pack('Q', 0); open(my $disk, '<&=', $fd) or return -1;
    ioctl($disk, 0x80089418, $started) or return -1;
    return ioctl($disk, 0x40089416, $started) ? 0 : -1; }); () },
  syncfs => sub { with_file($_[0], 'syncfs', sub { my $fd = shift; syscall($call->{syncfs}, $fd) }); () },
);

my $namespace = 0x20000;
syscall($call->{unshare}, $namespace) == 0 or fatal("a mount namespace: $!");
my ($none, $root, $empty, $private) = ('none', '/', '', 0x44000);
syscall($call->{mount}, $none, $root, $empty, $private, $empty) == 0 or fatal("private mounts: $!");
# The /proc of this process namespace: later, programs mount theirs in its place.
chdir '/proc' or fatal("/proc: $!");
answer('ok', $$);
while (my $line = <STDIN>) {
  chomp $line;
  my ($name, @words) = map { decode($_) } split / /, $line;
  if ($name eq 'quit') { take_down(); answer('ok'); exit 0; }
  my @result = eval { $requests{$name} ? $requests{$name}->(@words)
                                       : die { number => 38, text => "no request $name" } };
  if (my $error = $@) {
    ref $error ? answer('error', $error->{number}, $error->{text}) : answer('error', 0, "$error");
  } else { answer('ok', map { defined $_ ? $_ : '' } @result); }
}
take_down();
`;
