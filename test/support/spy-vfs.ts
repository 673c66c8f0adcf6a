/** A vfs whose calls a test can list, refuse and hold back, one by one. */

import { systemError } from '../../src/vfs/errno.ts';
import type { SystemErrorCode } from '../../src/vfs/errno.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import type { VfsCall, VfsCallName } from '../../src/vfs/vfs-call.ts';

interface Refusal {
  readonly name: VfsCallName;
  readonly code: SystemErrorCode;
  times: number;
  readonly effect: boolean;
}

export class SpyVfs extends ForwardingVfs {
  /** Every call that was made, in the order of their beginnings. */
  readonly calls: VfsCall[] = [];
  #refusals: Refusal[] = [];
  #gates = new Map<VfsCallName, Promise<void>>();

  /** The names of the calls, with `+` for those that block. */
  get names(): string[] {
    return this.calls.map((call) => `${call.name}${call.blocking ? '+' : ''}`);
  }

  /**
   * The next `times` calls of this name fail; with `effect` after they have done what they do, as a
   * network file system may.
   */
  refuse(name: VfsCallName, code: SystemErrorCode, times: number = 1, effect = false): void {
    this.#refusals.push({ name, code, times, effect });
  }

  /** Asynchronous calls of this name wait until the function returned is called. */
  hold(name: VfsCallName): () => void {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#gates.set(name, gate);
    return () => {
      this.#gates.delete(name);
      release();
    };
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    this.calls.push(call);
    await this.#gates.get(call.name);
    const refusal = this.#refusalOf(call);
    if (refusal?.effect === true) await run(call);
    if (refusal !== undefined) throw systemError(refusal.code, call.name, call.path);
    return run(call);
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    this.calls.push(call);
    const refusal = this.#refusalOf(call);
    if (refusal?.effect === true) run(call);
    if (refusal !== undefined) throw systemError(refusal.code, call.name, call.path);
    return run(call);
  }

  #refusalOf(call: VfsCall): Refusal | undefined {
    const refusal = this.#refusals.find((each) => each.name === call.name && each.times > 0);
    if (refusal !== undefined) refusal.times -= 1;
    return refusal;
  }
}
