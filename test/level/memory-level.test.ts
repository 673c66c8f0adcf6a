/** `HoldfastLevel` on the memory engine passes `abstract-level`'s suite. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { abstractLevelSuite, SUITE_ASSERTIONS } from './abstract-level-suite.ts';

it('the memory engine passes abstract-level’s own suite', async () => {
  const { assertions, failures } = await abstractLevelSuite(
    (options) => new HoldfastLevel('memory', { ...options, engine: 'memory' }),
  );
  assert.deepEqual(failures, []);
  // A suite that ended early would have no failures either.
  assert.ok(assertions >= SUITE_ASSERTIONS, `${assertions} assertions`);
});
