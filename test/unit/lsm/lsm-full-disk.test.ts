/** A disk without room for tables: writers are refused in words, and go on once there is room. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { openOn, textBatch, textEntries } from '../../support/lsm-stores.ts';

test('a flush without room refuses writers once memory is full, and is done when there is', async () => {
  const inner = new MemoryVfs();
  const times = 3;
  const vfs = new FaultVfs(inner, { kind: 'ENOSPC', nth: 1, times, path: /\.ldb$/ });
  const engine = await openOn(vfs);
  const kept: string[] = [];
  let refused = 0;
  for (let number = 0; number < 200 && (refused === 0 || kept.at(-1) !== 'k199'); number++) {
    try {
      await engine.write(textBatch({ [`k${number}`]: 'v'.repeat(400) }));
      kept.push(`k${number}`);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ENOSPC');
      assert.equal((error as { outcome?: string }).outcome, 'old');
      refused++;
      await new Promise((resolve) => void setTimeout(resolve, 60));
    }
  }
  assert.ok(refused > 0, 'a writer was refused');
  assert.equal(vfs.injected.length, times);
  const shown = (await textEntries(engine)).map(([key]) => key);
  assert.deepEqual(shown, kept.toSorted());
  await engine.close();
  const again = await openOn(inner);
  assert.deepEqual(
    (await textEntries(again)).map(([key]) => key),
    kept.toSorted(),
  );
  await again.close();
});
