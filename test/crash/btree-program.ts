/**
 * A process that uses a B+tree until it is killed: `node btree-program.js DIRECTORY SEED`. Commit
 * N changes keys that follow from N, so that the right state follows from the number of commits. It
 * first requires the state that it finds to be such a one, and says on standard output `opened N`,
 * and `kept N` for every commit that resolved, before it goes on.
 */

import assert from 'node:assert/strict';
import { writeSync } from 'node:fs';

import { Prng } from '../../src/base/prng.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import { numberedBatch, numberedState } from '../support/numbered-commits.ts';
import { textEntries } from '../support/lsm-stores.ts';

const [directory = '', seed = '1'] = process.argv.slice(2);
const prng = new Prng(Number(seed));
const POLICIES: readonly SyncPolicy[] = ['sync', 'batch', 'none', 'none'];
const policy = (): SyncPolicy => POLICIES[prng.below(POLICIES.length)] ?? 'sync';
const say = (text: string): void => void writeSync(1, `${text}\n`);

const engine = await btreeKind.open(directory, {
  cacheSize: 1 << 20,
  checkpoint: { logBytes: 64 << 10 },
});
const last = Number(engine.getSync(Buffer.from('last')) ?? 0);
assert.deepEqual(await textEntries(engine), numberedState(last));
say(`opened ${last}`);
let next = last + 1;
const commit = async (): Promise<void> => {
  const number = next++;
  await engine.write(numberedBatch(number), policy());
  say(`kept ${number}`);
};
for (;;) {
  switch (prng.below(12)) {
    case 0:
      await engine.compact();
      break;
    case 1:
    case 2:
      engine.writeSync(numberedBatch(next), policy());
      say(`kept ${next++}`);
      break;
    case 3:
      await engine.transaction?.(async (inside) => {
        await inside.write(numberedBatch(next));
      }, policy());
      say(`kept ${next++}`);
      break;
    default:
      await Promise.all(Array.from({ length: 1 + prng.below(20) }, commit));
  }
}
