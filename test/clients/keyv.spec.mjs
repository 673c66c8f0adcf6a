/** The test suite of keyv, over an adapter such as a user would write, on every engine. */

import { EventEmitter } from 'node:events';

import keyvTestSuite from '@keyv/test-suite';
import { Keyv } from 'keyv';
import * as vitest from 'vitest';

import { ENGINES, newStore } from './stores.mjs';

/** A storage adapter of keyv's over a store. */
class LevelAdapter extends EventEmitter {
  // keyv iterates only over adapters whose dialect it knows.
  opts = { dialect: 'redis' };
  namespace = undefined;

  constructor(db) {
    super();
    this.db = db;
  }

  get(key) {
    return this.db.get(key);
  }

  getMany(keys) {
    return this.db.getMany(keys);
  }

  async set(key, value) {
    await this.db.put(key, value);
  }

  async delete(key) {
    const there = await this.db.has(key);
    await this.db.del(key);
    return there;
  }

  has(key) {
    return this.db.has(key);
  }

  async clear() {
    await this.db.clear(rangeOf(this.namespace));
  }

  iterator(namespace) {
    return this.db.iterator(rangeOf(namespace));
  }
}

/** The keys of a namespace; all of them without one. */
function rangeOf(namespace) {
  return namespace === undefined ? {} : { gte: `${namespace}:`, lt: `${namespace}:\uffff` };
}

for (const engine of ENGINES) {
  vitest.describe(`the engine ${engine}`, () => {
    const { db, remove } = newStore(engine);
    vitest.afterAll(remove);
    keyvTestSuite(vitest, Keyv, () => new LevelAdapter(db));
  });
}
