/**
 * A litmus program as a real one: a small Perl program that makes each step's system calls and, after each, waits
 * until the rig has noted where in the block log that was. Perl, because Node has no call for RENAME_EXCHANGE,
 * fallocate or O_DSYNC by number on every release, takes half a second to start on a busy machine, and makes calls
 * of its own; Perl's base package is on every Debian system.
 */

import { type LitmusProgram, lettersToBytes } from './litmus-program.ts';
import { stepMark } from './litmus-trace.ts';

/** Command line of the program, for `Rig.run`: it runs in the directory that `litmusSetup` filled. */
export function litmusCommand(program: LitmusProgram): string[] {
  const steps = program.steps.map((step, index) => [stepMark(index), ...step].join('\t'));
  return ['perl', '-e', SCRIPT, ...steps];
}

/** Shell command that makes what the program finds. */
export function litmusSetup(program: LitmusProgram): string {
  const parts = Object.entries(program.initial).map(([path, text]) => {
    if (text === 'dir') return `mkdir ${path} && chmod 755 ${path}`;
    const hex = Buffer.from(lettersToBytes(text)).toString('latin1').replaceAll('\0', '\\0');
    return `printf '${hex}' > ${path} && chmod 644 ${path}`;
  });
  return parts.length === 0 ? 'true' : parts.join(' && ');
}

const SCRIPT = String.raw`
use strict; use warnings; use Fcntl; umask 0;
my $machine = machine();
my %number = $machine eq 'x86_64' ? (rename => 316, allocate => 285, fsync => 74, fdatasync => 75, syncfs => 306)
  : (rename => 276, allocate => 47, fsync => 82, fdatasync => 83, syncfs => 267);
sub machine { my $name = qx(uname -m); chomp $name; return $name; }
my $marks = $ENV{HOLDFAST_MARKS};
open(my $requests, '>', "$marks/requests") or die "marks: $!";
{ my $old = select $requests; $| = 1; select $old; }
sub ok { my ($result, $what) = @_; die "$what: $!\n" unless $result; }
sub opened { my ($path, $flags) = @_; sysopen(my $file, $path, $flags, 0644) or die "$path: $!\n"; return $file; }
sub put { my ($path, $flags, $offset, $letter, $length) = @_;
  my $file = opened($path, $flags); sysseek($file, $offset, 0);
  my $done = syswrite($file, $letter x $length);
  ok(defined $done && $done == $length, "write $path"); close $file; }
sub sync_call { my ($name, $path) = @_;
  my $file = opened($path, O_RDONLY); ok(syscall($number{$name}, fileno $file) == 0, "$name $path"); close $file; }
my %step = (
  create => sub { close opened($_[0], O_WRONLY | O_CREAT | O_EXCL); },
  write => sub { my $path = shift; put($path, O_WRONLY, @_); },
  'write-durable' => sub { my $path = shift; put($path, O_WRONLY | O_DSYNC, @_); },
  truncate => sub { my $file = opened($_[0], O_WRONLY); ok(truncate($file, $_[1]), 'truncate'); close $file; },
  allocate => sub { my $file = opened($_[0], O_WRONLY); my ($offset, $length, $mode) = ($_[1] + 0, $_[2] + 0, 0);
    ok(syscall($number{allocate}, fileno $file, $mode, $offset, $length) == 0, 'fallocate'); close $file; },
  fsync => sub { sync_call('fsync', @_); }, fdatasync => sub { sync_call('fdatasync', @_); },
  'sync-all' => sub { sync_call('syncfs', '.'); },
  chmod => sub { ok(chmod($_[1] + 0, $_[0]), 'chmod'); },
  mkdir => sub { ok(mkdir($_[0], 0755), 'mkdir'); }, rmdir => sub { ok(rmdir($_[0]), 'rmdir'); },
  unlink => sub { ok(unlink($_[0]), 'unlink'); },
  rename => sub { ok(rename($_[0], $_[1]), 'rename'); }, link => sub { ok(link($_[0], $_[1]), 'link'); },
  exchange => sub { my ($from, $to) = @_; my ($here, $exchange) = (-100, 2);
    ok(syscall($number{rename}, $here, $from, $here, $to, $exchange) == 0, 'exchange'); },
);
my $count = 0;
for my $line (@ARGV) {
  my ($mark, $name, @words) = split /\t/, $line;
  $step{$name}->(@words);
  my $id = "$$-0-$count"; $count += 1;
  syswrite($requests, "[\"$id\",\"$mark\"]\n");
  select(undef, undef, undef, 0.0005) until -e "$marks/$id";
}
`;
