/**
 * Records code that is written against `Vfs`: every call is passed to another vfs and, where it changes something
 * below the root, told with its stack, its start and its end. The trace stays in memory.
 */

import { ForwardingVfs } from '../../vfs/forwarding-vfs.ts';
import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import type { VfsCall } from '../../vfs/vfs-call.ts';
import type { FileStat, OpenOptions, Vfs, VfsFile } from '../../vfs/vfs.ts';
import { captureStack } from './js-stack.ts';
import { NamespaceTracker } from './namespace-tracker.ts';
import { codeOf } from './node-binding.ts';
import type { Trace } from './operation.ts';
import { snapshotDirectory, snapshotFileTree } from './root-snapshot.ts';
import { READ_FLAGS, type CallResult, type OpenFlags, type SystemCall } from './system-call.ts';
import { TraceCollector } from './trace-collector.ts';
import type { PendingCall } from './tracker-context.ts';

export interface RecordingVfsOptions {
  /** The directory whose changes are recorded: absolute, without links. Default `'/'`. */
  readonly root?: string;
  /** What the root holds now. Without it the root is read from the real file system. */
  readonly tree?: FileTreeDirectory;
  /** What relative paths are relative to; default the root. */
  readonly cwd?: string;
  /** Which program this is, for people. */
  readonly command?: readonly string[];
}

const PROCESS = 0;

export class RecordingVfs extends ForwardingVfs {
  readonly #root: string;
  readonly #cwd: string;
  readonly #command: readonly string[];
  readonly #collector = new TraceCollector();
  readonly #tracker: NamespaceTracker;
  readonly #descriptors = new WeakMap<object, number>();
  readonly #pending = new Set<PendingCall>();
  #nextFd = 3;
  #finished = false;

  constructor(inner: Vfs, options: RecordingVfsOptions = {}) {
    super(inner);
    this.#root = options.root ?? '/';
    this.#cwd = options.cwd ?? this.#root;
    this.#command = options.command ?? [];
    this.#tracker = new NamespaceTracker({ rootPath: this.#root, sink: this.#collector });
    const { tree } = this.#tracker;
    if (options.tree === undefined) snapshotDirectory(this.#root, tree, this.#collector);
    else snapshotFileTree(options.tree, tree, this.#collector);
    this.#tracker.addProcess(PROCESS, this.#cwd);
  }

  /** What the outside world was told now. */
  mark(text: string): void {
    if (this.#finished) return;
    this.#end(this.#begin({ call: 'mark', source: 'mark', text }), { value: 0 });
  }

  /** The trace up to here; calls that have not returned have no end. What comes later is not recorded. */
  finish(): Trace {
    for (const pending of this.#pending) this.#tracker.end(pending, null);
    this.#pending.clear();
    this.#finished = true;
    const { ignoredOutside } = this.#tracker;
    return this.#collector.trace({ command: this.#command, root: this.#root, ignoredOutside });
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const pending = this.#beginVfs(call);
    if (pending === null) return run(call);
    try {
      const result = await run(call);
      this.#succeeded(call, pending, result);
      return result;
    } catch (error) {
      // Passed on unchanged: only told.
      this.#end(pending, { error: codeOf(error) });
      throw error;
    }
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    const pending = this.#beginVfs(call);
    if (pending === null) return run(call);
    try {
      const result = run(call);
      this.#succeeded(call, pending, result);
      return result;
    } catch (error) {
      // Passed on unchanged: only told.
      this.#end(pending, { error: codeOf(error) });
      throw error;
    }
  }

  #beginVfs(call: VfsCall): PendingCall | null {
    if (this.#finished) return null;
    const described = this.#describe(call);
    return described === null ? null : this.#begin(described);
  }

  #begin(call: SystemCall): PendingCall {
    const stack = this.#collector.addStack(captureStack());
    const pending = this.#tracker.begin({ process: PROCESS, thread: 0, stack }, call);
    this.#pending.add(pending);
    return pending;
  }

  #end(pending: PendingCall, result: CallResult): void {
    // Gone when `finish` came in between.
    if (this.#pending.delete(pending)) this.#tracker.end(pending, result);
  }

  #succeeded(call: VfsCall, pending: PendingCall, result: unknown): void {
    let ended = pending;
    let value = typeof result === 'number' ? result : 0;
    if (call.name === 'open' || call.name === 'openDirectory') {
      value = this.#nextFd++;
      if (typeof result === 'object' && result !== null) this.#descriptors.set(result, value);
    }
    const stat = this.#statAfter(call, result);
    if (stat !== null && this.#pending.delete(pending)) {
      ended = { ...pending, call: withAttributes(pending.call, stat) };
      this.#pending.add(ended);
    }
    this.#end(ended, { value });
  }

  /** Only a look tells mode and owner: the umask is not ours to know, and a call does not carry them. */
  #statAfter(call: VfsCall, result: unknown): FileStat | null {
    try {
      switch (call.name) {
        case 'mkdir':
          return this.unwrap().lstatSync(call.path);
        case 'chmod':
          return this.unwrap().statSync(call.path);
        case 'open':
          return call.options?.create === true ? statOfHandle(result) : null;
        case 'file.chmod':
        case 'file.chown':
          return statOfHandle(call.handle);
        default:
          return null;
      }
    } catch {
      // Renamed or removed meanwhile: what was asked for has to do.
      return null;
    }
  }

  #at(path: string): { readonly path: string } {
    return { path: path.startsWith('/') ? path : `${this.#cwd}/${path}` };
  }

  /** The call in the tracker's words; null for one that changes nothing. */
  #describe(call: VfsCall): SystemCall | null {
    const at = this.#at(call.path);
    switch (call.name) {
      case 'open':
        return {
          call: 'open',
          at,
          flags: flagsOf(call.options ?? {}),
          mode: call.options?.mode ?? 0o666,
        };
      case 'openDirectory':
        return { call: 'open', at, flags: READ_FLAGS, mode: 0 };
      case 'mkdir':
        return { call: 'mkdir', at, mode: 0o777 };
      case 'symlink':
        return { call: 'symlink', at, target: call.target ?? '' };
      case 'link':
        return { call: 'link', from: at, to: this.#at(call.target ?? '') };
      case 'rename':
        return { call: 'rename', from: at, to: this.#at(call.target ?? '') };
      case 'unlink':
        return { call: 'unlink', at, directory: false };
      case 'rmdir':
        return { call: 'unlink', at, directory: true };
      case 'chmod':
        return { call: 'attribute', at, field: 'mode', value: '0' };
      default:
        return this.#describeHandleCall(call);
    }
  }

  #describeHandleCall(call: VfsCall): SystemCall | null {
    const fd = call.handle === undefined ? undefined : this.#descriptors.get(call.handle);
    if (fd === undefined) return null;
    switch (call.name) {
      case 'file.write': {
        const { transfer } = call;
        if (transfer === undefined) return null;
        const { buffer, offset, length, position } = transfer;
        return { call: 'write', fd, position, data: buffer.slice(offset, offset + length) };
      }
      case 'file.truncate':
        return { call: 'truncate', at: { fd }, size: call.size ?? 0 };
      case 'file.sync':
      case 'directory.sync':
        return { call: 'sync', fd, scope: 'all' };
      case 'file.datasync':
        return { call: 'sync', fd, scope: 'data' };
      case 'file.chmod':
        return { call: 'attribute', at: { fd }, field: 'mode', value: '0' };
      case 'file.chown':
        return { call: 'attribute', at: { fd }, field: 'owner', value: '' };
      case 'file.close':
      case 'directory.close':
        return { call: 'close', fd };
      default:
        return null;
    }
  }
}

function statOfHandle(handle: unknown): FileStat | null {
  if (typeof handle !== 'object' || handle === null || !('statSync' in handle)) return null;
  return (handle as VfsFile).statSync();
}

function withAttributes(call: SystemCall, { mode, uid, gid }: FileStat): SystemCall {
  if (call.call === 'open' || call.call === 'mkdir') return { ...call, mode };
  if (call.call !== 'attribute') return call;
  return { ...call, value: call.field === 'owner' ? `${uid}:${gid}` : mode.toString(8) };
}

function flagsOf(options: OpenOptions): OpenFlags {
  return {
    write: options.write === true || options.append === true,
    append: options.append === true,
    create: options.create === true,
    exclusive: options.exclusive === true,
    truncate: options.truncate === true,
    noFollow: options.noFollow === true,
    temporary: false,
    closeOnExec: true,
    durable: options.sync ?? 'none',
  };
}
