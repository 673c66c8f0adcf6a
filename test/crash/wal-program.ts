/**
 * A process that uses a log until it is killed: `node wal-program.js DIRECTORY MARKS SEED`. It says what it does and
 * what it was promised on standard output, a line each, before it goes on. MARKS: what was said before, as lines.
 */

import { readFileSync, writeSync } from 'node:fs';

import { Prng } from '../../src/base/prng.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import { LogStory } from '../support/log-story.ts';

const [directory = '', marksPath = '', seed = '1'] = process.argv.slice(2);
const marks = readFileSync(marksPath, 'utf8').split('\n').filter(Boolean);
const prng = new Prng(Number(seed));
const POLICIES: readonly SyncPolicy[] = ['sync', 'batch', 'none', 'none'];
const policy = (): SyncPolicy => POLICIES[prng.below(POLICIES.length)] ?? 'sync';

const story = new LogStory(
  nodeVfs,
  (text) => void writeSync(1, `${text}\n`),
  { directory, segmentBytes: 32 << 10, preallocate: prng.below(2) === 0, powered: true },
  marks,
);
await story.open();
for (;;) {
  switch (prng.below(8)) {
    case 0:
      await story.rotate();
      break;
    case 1:
      await story.checkpoint();
      await story.truncate();
      break;
    case 2:
      story.appendSync(policy(), 1 + prng.below(3), prng.below(9000));
      break;
    default:
      await Promise.all([1, 2, 3].map((n) => story.append(policy(), n, prng.below(5000))));
  }
}
