/**
 * A file system in memory whose file calls a test can watch, hold back and fail, and which keeps
 * beside each file what a power cut would leave of it at worst: only what a sync or a durable write
 * that returned has covered. Only for files opened through it; names are not followed.
 */

import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { errorCode, systemError } from '../../src/vfs/errno.ts';
import type { SystemErrorCode } from '../../src/vfs/errno.ts';
import { readWholeFileSync } from '../../src/vfs/transfer.ts';
import type { OpenOptions, Vfs, VfsFile } from '../../src/vfs/vfs.ts';

export type ScriptedCall =
  'open' | 'write' | 'durable-write' | 'append' | 'truncate' | 'datasync' | 'sync' | 'close';

interface Hold {
  readonly call: ScriptedCall;
  /** Whether the call has its effect before it is held, or after. */
  readonly when: 'before' | 'after';
}

interface Failure {
  readonly call: ScriptedCall;
  readonly code: SystemErrorCode;
  /** How many more such calls succeed first. */
  skip: number;
  /** A write moves this many bytes before the failing call. */
  readonly moved: number;
}

export class ScriptedVfs {
  readonly memory: MemoryVfs = new MemoryVfs();
  /**
   * Every file call begun, e.g. `'write 0+116'`, with `Sync` behind the name for the blocking form.
   */
  readonly calls: string[] = [];
  /** When set, no write moves more bytes than this. */
  shortWriteBytes: number = Infinity;
  #holds: Hold[] = [];
  #held: (() => void)[] = [];
  #failures: Failure[] = [];
  readonly #durable = new Map<string, DurableImage>();

  /** What would be left of a file. */
  durable(path: string): Uint8Array {
    return this.#durable.get(path)?.bytes() ?? new Uint8Array(0);
  }

  /** Asynchronous calls of this kind wait for `release`. */
  hold(call: ScriptedCall, when: 'before' | 'after' = 'before'): void {
    this.#holds.push({ call, when });
  }

  /** How many calls are held just now. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** Lets the calls go that are held; later ones are not held any more. */
  release(): void {
    this.#holds = [];
    const held = this.#held;
    this.#held = [];
    for (const go of held) go();
  }

  /**
   * The next call of this kind fails, once; `moved` bytes of a write get there in a call before it.
   */
  fail(
    call: ScriptedCall,
    code: SystemErrorCode,
    options: { skip?: number; moved?: number } = {},
  ): void {
    this.#failures.push({ call, code, skip: options.skip ?? 0, moved: options.moved ?? 0 });
  }

  /** Takes back what `fail` said and has not happened. */
  stopFailing(): void {
    this.#failures = [];
  }

  content(path: string): Uint8Array {
    return readWholeFileSync(this.memory, path);
  }

  /** The contract, as far as durable needs it. */
  get vfs(): Vfs {
    const open = (path: string, options: OpenOptions): VfsFile => {
      this.#check('open', path);
      return this.#wrap(path, this.memory.openSync(path, options), options);
    };
    const own: Partial<Vfs> = {
      open: async (path, options) => open(path, options),
      openSync: open,
    };
    return new Proxy(this.memory, {
      get: (target, name) =>
        (own as Record<PropertyKey, unknown>)[name] ?? bound(target as unknown as Bound, name),
    });
  }

  #wrap(path: string, inner: VfsFile, options: OpenOptions): VfsFile {
    const write: ScriptedCall =
      options.append === true ? 'append' : options.sync === 'data' ? 'durable-write' : 'write';
    const image = this.#image(path);
    const handle: Handle = { hasError: false };
    image.handles.add(handle);
    const writeNow = (buffer: Uint8Array, offset: number, length: number, at: number): number => {
      const asked = Math.min(length, this.shortWriteBytes, this.#movedFirst(write, length));
      if (asked === length) {
        this.#checkWrite(write, path, handle, () => {
          inner.writeSync(buffer, offset, asked, at);
        });
      }
      const count = inner.writeSync(buffer, offset, asked, at);
      image.touched(options.append === true ? inner.statSync().size - count : at, count);
      if (write === 'durable-write') image.wrote(this.content(path).slice(at, at + count), at);
      return count;
    };
    const note = (call: string): number => this.calls.push(call);
    return {
      path,
      write: (buffer, offset, length, at) => {
        note(`${write} ${at}+${length}`);
        return this.#later(write, () => writeNow(buffer, offset, length, at));
      },
      writeSync: (buffer, offset, length, at) => {
        note(`${write}Sync ${at}+${length}`);
        return writeNow(buffer, offset, length, at);
      },
      truncate: (size) => {
        note(`truncate ${size}`);
        return this.#later('truncate', () => {
          this.#check('truncate', path);
          inner.truncateSync(size);
        });
      },
      truncateSync: (size) => {
        note(`truncateSync ${size}`);
        this.#check('truncate', path);
        inner.truncateSync(size);
      },
      ...this.#syncs('datasync', path, handle),
      ...this.#syncs('sync', path, handle),
      read: (...args) => inner.read(...args),
      readSync: (...args) => inner.readSync(...args),
      stat: () => inner.stat(),
      statSync: () => inner.statSync(),
      chmod: (mode) => inner.chmod(mode),
      chmodSync: (mode) => inner.chmodSync(mode),
      chown: (uid, gid) => inner.chown(uid, gid),
      chownSync: (uid, gid) => inner.chownSync(uid, gid),
      close: () => {
        note('close');
        return this.#later('close', () => {
          this.#check('close', path);
          inner.closeSync();
        });
      },
      closeSync: () => {
        note('closeSync');
        this.#check('close', path);
        inner.closeSync();
      },
    };
  }

  #syncs<Name extends 'sync' | 'datasync'>(
    name: Name,
    path: string,
    handle: Handle,
  ): Pick<VfsFile, Name | `${Name}Sync`> {
    const begin = (): (() => void) => {
      const image = this.#image(path);
      const covered = this.content(path);
      const time = image.tick();
      return () => {
        try {
          this.#check(name, path);
          if (handle.hasError) throw systemError('EIO', name, path);
        } catch (error) {
          // As on Linux: the pages are clean by now, and every other description hears of it once.
          image.lost(this.content(path), handle);
          throw error;
        }
        image.synced(covered, time);
      };
    };
    const methods = {
      [name]: () => {
        this.calls.push(name);
        return this.#later(name, begin());
      },
      [`${name}Sync`]: () => {
        this.calls.push(`${name}Sync`);
        begin()();
      },
    };
    return methods as unknown as Pick<VfsFile, Name | `${Name}Sync`>;
  }

  /** A durable write that fails has reached the cache, and only that. */
  #checkWrite(call: ScriptedCall, path: string, handle: Handle, write: () => void): void {
    try {
      this.#check(call, path);
      if (call === 'durable-write' && handle.hasError) throw systemError('EIO', 'write', path);
    } catch (error) {
      // The test wanted it so.
      if (call === 'durable-write' && errorCode(error) === 'EIO') {
        write();
        this.#image(path).lost(this.content(path), handle);
      }
      throw error;
    }
  }

  #image(path: string): DurableImage {
    const image = this.#durable.get(path) ?? new DurableImage();
    this.#durable.set(path, image);
    return image;
  }

  async #later<T>(call: ScriptedCall, effect: () => T): Promise<T> {
    const hold = this.#holds.find((each) => each.call === call);
    if (hold?.when === 'before') await this.#gate();
    else await Promise.resolve();
    try {
      return effect();
    } finally {
      if (hold?.when === 'after') await this.#gate();
    }
  }

  #gate(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve));
  }

  /** How many bytes a write moves before the one that fails. */
  #movedFirst(call: ScriptedCall, length: number): number {
    const failure = this.#failures.find((each) => each.call === call && each.skip === 0);
    return failure !== undefined && failure.moved > 0 && failure.moved < length
      ? failure.moved
      : length;
  }

  #check(call: ScriptedCall, path: string): void {
    const failure = this.#failures.find((each) => each.call === call);
    if (failure === undefined) return;
    if (failure.skip-- > 0) return;
    this.#failures.splice(this.#failures.indexOf(failure), 1);
    throw systemError(failure.code, call, path);
  }
}

/** One open description. */
interface Handle {
  /** A write-back failed that this one has not been told of. */
  hasError: boolean;
}

/**
 * The durable bytes of one file: the latest sync by its beginning, and the durable writes after
 * that. Bytes that a failed sync has lost stay lost until they are written again.
 */
class DurableImage {
  readonly handles = new Set<Handle>();
  #time = 0;
  #base: Uint8Array = new Uint8Array(0);
  #baseTime = 0;
  #writes: { readonly bytes: Uint8Array; readonly at: number; readonly time: number }[] = [];
  readonly #lost = new Set<number>();

  tick(): number {
    return ++this.#time;
  }

  touched(at: number, count: number): void {
    for (let offset = at; offset < at + count; offset++) this.#lost.delete(offset);
  }

  synced(covered: Uint8Array, time: number): void {
    if (time < this.#baseTime) return;
    const before = this.bytes();
    this.#base = covered;
    for (const offset of this.#lost) {
      if (offset < covered.length) covered[offset] = before[offset] ?? 0;
    }
    this.#baseTime = time;
    this.#writes = this.#writes.filter((write) => write.time > time);
  }

  wrote(bytes: Uint8Array, at: number): void {
    this.#writes.push({ bytes, at, time: this.tick() });
  }

  /** A sync or durable write through `handle` failed. */
  lost(content: Uint8Array, handle: Handle): void {
    const durable = this.bytes();
    content.forEach((byte, offset) => {
      if (durable[offset] !== byte) this.#lost.add(offset);
    });
    for (const each of this.handles) each.hasError = each !== handle;
  }

  bytes(): Uint8Array {
    const ends = this.#writes.map((write) => write.at + write.bytes.length);
    const image = new Uint8Array(Math.max(this.#base.length, ...ends));
    image.set(this.#base);
    for (const write of this.#writes) image.set(write.bytes, write.at);
    return image;
  }
}

type Bound = Record<PropertyKey, (...args: unknown[]) => unknown>;

function bound(target: Bound, name: PropertyKey): unknown {
  const member = target[name];
  return typeof member === 'function' ? member.bind(target) : member;
}
