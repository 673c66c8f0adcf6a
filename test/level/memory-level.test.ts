/**
 * `HoldfastLevel` passes `abstract-level`'s suite: on the memory engine, whose answers are all at
 * hand, and on one whose answers all come later.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { lateKind } from '../support/late-engine.ts';
import { abstractLevelSuite, SUITE_ASSERTIONS } from './abstract-level-suite.ts';

/** The suite asks a store that does not last nothing about what is there after `close`. */
const OF_LASTING_STORES = 6;

it('the memory engine passes abstract-level’s own suite', async () => {
  const { assertions, failures } = await abstractLevelSuite(
    (options) => new HoldfastLevel('memory', { ...options, engine: 'memory' }),
  );
  assert.deepEqual(failures, []);
  assert.equal(assertions, SUITE_ASSERTIONS - OF_LASTING_STORES);
});

it('an engine that answers late passes abstract-level’s own suite', async () => {
  const { assertions, failures } = await abstractLevelSuite(
    (options) => new HoldfastLevel('late', { ...options, engine: lateKind() }),
  );
  assert.deepEqual(failures, []);
  assert.equal(assertions, SUITE_ASSERTIONS);
});
