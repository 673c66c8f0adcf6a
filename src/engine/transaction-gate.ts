/**
 * One writer at a time: while a transaction is open, plain writes and other transactions wait in
 * the order of their calls. A write that comes from inside the transaction would wait for itself:
 * it is an error at once. Not here: what a transaction reads and writes (`transaction-engine`).
 */

import { AsyncLocalStorage } from 'node:async_hooks';

import { HoldfastError } from '../base/errors.ts';
import { closedError } from './engine-errors.ts';

export class TransactionGate {
  /** Made with the first transaction: programs without them pay nothing. */
  #inside: AsyncLocalStorage<object> | null = null;
  /** Stands for the transaction that is open. */
  #current: object | null = null;
  #waiting: { readonly start: () => void; readonly refuse: (error: unknown) => void }[] = [];

  /** Whether a plain write has to wait. */
  get busy(): boolean {
    return this.#current !== null;
  }

  /**
   * Lets a plain write through, now or when the transactions called for before it have ended.
   * @throws (rejects) HOLDFAST_IN_TRANSACTION from inside the one that is open
   */
  pass(write: () => Promise<void>): Promise<void> {
    if (this.#current === null) return write();
    return new Promise((resolve, reject) => {
      this.#refuseInside('a plain write');
      this.#waiting.push({ start: () => resolve(write()), refuse: reject });
    });
  }

  /** For writes that cannot wait. @throws HOLDFAST_IN_TRANSACTION while a transaction is open */
  passSync(): void {
    if (this.#current === null) return;
    this.#refuseInside('a plain write');
    throw new HoldfastError(
      'HOLDFAST_IN_TRANSACTION',
      'a transaction is open, and a blocking write cannot wait for its end: use the awaited form',
    );
  }

  /** Runs `work` alone, when those called for before it have ended. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseInside('another transaction');
    const token = {};
    await new Promise<void>((resolve, refuse) => {
      const start = (): void => {
        this.#current = token;
        resolve();
      };
      if (this.#current === null) start();
      else this.#waiting.push({ start, refuse });
    });
    this.#inside ??= new AsyncLocalStorage();
    try {
      return await this.#inside.run(token, work);
    } finally {
      this.#current = null;
      while (this.#current === null && this.#waiting.length > 0) this.#waiting.shift()?.start();
    }
  }

  /** Refuses all that wait: the store is being closed. */
  close(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { refuse } of waiting) refuse(closedError('store'));
  }

  #refuseInside(what: string): void {
    if (this.#current === null || this.#inside?.getStore() !== this.#current) return;
    throw new HoldfastError(
      'HOLDFAST_IN_TRANSACTION',
      `${what} inside a transaction would wait for its end, and never come to it: write ` +
        'with the transaction that the function was given',
    );
  }
}
