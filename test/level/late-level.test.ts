/** `HoldfastLevel` passes `abstract-level`'s suite also where every answer comes later. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { lateKind } from '../support/late-engine.ts';
import { abstractLevelSuite, SUITE_ASSERTIONS } from './abstract-level-suite.ts';

it('an engine that answers late passes abstract-level’s own suite', async () => {
  const { assertions, failures } = await abstractLevelSuite(
    (options) => new HoldfastLevel('late', { ...options, engine: lateKind() }),
  );
  assert.deepEqual(failures, []);
  assert.equal(assertions, SUITE_ASSERTIONS);
});
