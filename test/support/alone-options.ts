/** Options of a log, or of a store, for the only process there is: every lock that it finds is a dead one's. */

import type { Clock } from '../../src/base/clock.ts';
import type { LockJudge } from '../../src/durable/lock-judge.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { ManualClock } from './manual-clock.ts';

/** Nobody else lives: every lock that is found was left by a crash or a kill. */
const ALONE: LockJudge = {
  self: {
    processId: 7,
    processStart: '1',
    threadId: 0,
    systemThreadId: '',
    systemThreadStart: '',
    boot: 'boot',
    namespace: 'space',
    host: 'host',
    machine: 'machine',
  },
  verdictOn: () => 'dead',
  note: () => undefined,
};

/** Everything as on a platform, on this file system, with a clock that a test moves. */
export function aloneWith(
  vfs: Vfs,
  {
    clock = new ManualClock(),
    platform = 'linux',
  }: { clock?: Clock; platform?: 'linux' | 'darwin' } = {},
): { dispatch: SyncDispatch; judge: LockJudge; clock: Clock } {
  return { dispatch: new SyncDispatch(vfs, syncRulesFor(platform, 'node')), judge: ALONE, clock };
}
