/**
 * Sees to it that nothing of a rehearsal goes on when this process is gone, in whatever way it went: a small process
 * beside it notices the end of its input, ends every process that was started for the rehearsal, and removes its
 * directory. They are known by a variable in their environment, so also what they left in the background ends.
 */

import { spawn } from 'node:child_process';

/** Names the rehearsal's directory in the environment of all that runs for it. */
export const REHEARSAL_VARIABLE = 'HOLDFAST_REHEARSAL';

/** @returns what ends the rehearsal, and resolves when nothing of it is left. */
export function guardRehearsal(directory: string): () => Promise<void> {
  const child = spawn('perl', ['-e', SCRIPT, directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', reject);
  });
  // Told by `end`; until then nobody waits.
  ended.catch(() => undefined);
  return async () => {
    child.stdin.end();
    await ended;
  };
}

const SCRIPT = String.raw`
use strict; use warnings;
my ($directory) = @ARGV;
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE QUIT);
1 while sysread(STDIN, my $byte, 1);
my $mark = "\0HOLDFAST_REHEARSAL=$directory\0";
for (1 .. 100) {
  my $found = 0;
  for my $place (glob '/proc/[0-9]*') {
    open(my $file, '<', "$place/environ") or next;
    local $/;
    my $environment = <$file>;
    next if !defined $environment || index("\0$environment", $mark) < 0;
    $found = 1;
    kill 'KILL', substr($place, 6);
  }
  last if !$found;
  select(undef, undef, undef, 0.02);
}
system('rm', '-rf', '--', $directory);
`;
