/**
 * Counts calls and bytes on their way to another vfs: how tests and `bench` say exactly what a
 * durable write costs. It knows nothing of time.
 */

import { ForwardingVfs } from './forwarding-vfs.ts';
import type { VfsCall, VfsCallName } from './vfs-call.ts';

/** A vfs that counts. Calls count when they are made, also those that fail; bytes when moved. */
export class MeteredVfs extends ForwardingVfs {
  readonly #calls = new Map<VfsCallName, number>();
  #bytesRead = 0;
  #bytesWritten = 0;

  /** How often these methods were called since the last `reset`, in either form. */
  count(...names: readonly VfsCallName[]): number {
    let sum = 0;
    for (const name of names) sum += this.#calls.get(name) ?? 0;
    return sum;
  }

  /** All counts that are not 0, by method. */
  counts(): Partial<Record<VfsCallName, number>> {
    return Object.fromEntries(this.#calls);
  }

  /** Calls of `sync` and `datasync`, of files and of directories. */
  get syncCount(): number {
    return this.count('file.sync', 'file.datasync', 'directory.sync');
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Starts counting from 0. */
  reset(): void {
    this.#calls.clear();
    this.#bytesRead = 0;
    this.#bytesWritten = 0;
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    this.#called(call.name);
    const result = await run(call);
    this.#moved(call.name, result);
    return result;
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    this.#called(call.name);
    const result = run(call);
    this.#moved(call.name, result);
    return result;
  }

  #called(name: VfsCallName): void {
    this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1);
  }

  #moved(name: VfsCallName, result: unknown): void {
    if (typeof result !== 'number') return;
    if (name === 'file.read') this.#bytesRead += result;
    if (name === 'file.write') this.#bytesWritten += result;
  }
}
