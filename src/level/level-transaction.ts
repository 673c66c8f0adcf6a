/** The kind of engine that a transaction of a store is. What users see of it is `holdfast-level`'s. */

import { HoldfastError } from '../base/errors.ts';
import type { EngineKind } from '../engine/engine-kind.ts';
import type { Engine } from '../engine/engine.ts';
import { knownOptions } from './check-options.ts';

/** A kind whose only store is a transaction. */
export function transactionKind(engine: Engine): EngineKind {
  const nowhere = (): Promise<never> => Promise.reject(withoutTransactions('transaction'));
  return {
    name: engine.name,
    open: async () => engine,
    holds: async () => false,
    destroy: nowhere,
    repair: nowhere,
    verify: nowhere,
    stats: nowhere,
  };
}

/** `HOLDFAST_UNSUPPORTED`: the engine has no transactions. */
export function withoutTransactions(engine: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_UNSUPPORTED',
    `the engine '${engine}' has no transactions: open the store with engine: 'btree', or write a batch`,
  );
}

/** @throws TypeError for wrong arguments; HOLDFAST_UNSUPPORTED for a transaction inside one */
export function checkTransaction(work: unknown, options: unknown, inside: boolean): void {
  if (typeof work !== 'function') {
    throw new TypeError(`the first argument of transaction must be a function, not ${typeof work}`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`the options of transaction must be an object, not ${String(options)}`);
  }
  knownOptions(options, ['sync']);
  if (!inside) return;
  throw new HoldfastError(
    'HOLDFAST_UNSUPPORTED',
    'a transaction holds no other one: make the reads and writes on the one that is open',
  );
}
