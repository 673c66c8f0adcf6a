/**
 * Traces written by hand, call by call, for tests of whatever reads traces. Every call gets a stack of one frame,
 * `program.js`, whose line is the number of the call (1 for the first), so that a finding's line names the step.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import { NamespaceTracker } from './namespace-tracker.ts';
import type { StackFrame, Trace } from './operation.ts';
import { snapshotFileTree } from './root-snapshot.ts';
import { READ_FLAGS, type CallResult, type OpenFlags, type SystemCall } from './system-call.ts';
import { TraceCollector } from './trace-collector.ts';
import type { CallOrigin, PendingCall } from './tracker-context.ts';

export interface TraceBuilderOptions {
  /** The tree at the start: path to content; a path that ends in '/' is an empty directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

export interface BuilderWriteOptions {
  /** As if the descriptor had been opened with O_DSYNC (`'data'`) or O_SYNC (`'all'`). */
  readonly durable?: 'data' | 'all';
  /** The count that the call returned, when it was less than asked. */
  readonly written?: number;
}

const PROCESS = 0;

export class TraceBuilder {
  readonly #collector = new TraceCollector();
  readonly #tracker: NamespaceTracker;
  readonly #open = new Map<string, PendingCall>();
  readonly #handles = new Map<string, number>();
  #step = 0;
  #nextFd = 3;
  #label: string | null = null;
  #error: string | null = null;
  #frame: StackFrame | null = null;
  #thread = 0;

  constructor(options: TraceBuilderOptions = {}) {
    this.#tracker = new NamespaceTracker({ rootPath: '/root', sink: this.#collector });
    snapshotFileTree(treeOf(options.files ?? {}), this.#tracker.tree, this.#collector);
    this.#tracker.addProcess(PROCESS, '/root');
  }

  // How the next call runs.

  /** The next call starts now and ends at `end(label)`, or never. */
  starting(label: string): this {
    this.#label = label;
    return this;
  }

  /** A call that `starting(label)` began returns. */
  end(label: string): this {
    const pending = this.#open.get(label);
    if (pending === undefined) throw new TypeError(`no call was started as '${label}'`);
    this.#open.delete(label);
    this.#tracker.end(pending, { value: this.#successOf(pending.call) });
    return this;
  }

  /** The next call fails with this error code. */
  failing(error: string): this {
    this.#error = error;
    return this;
  }

  /** Where the next call comes from. */
  from(file: string, line: number, functionName = 'main'): this {
    this.#frame = { function: functionName, file, line, column: 1 };
    return this;
  }

  /** All calls from here on come from this thread. */
  onThread(thread: number): this {
    this.#thread = thread;
    return this;
  }

  // Files.

  /** Opens for writing with O_CREAT and O_EXCL, and closes: only the create remains in the trace. */
  create(path: string, mode = 0o644): this {
    return this.#throughFd(path, { create: true, exclusive: true }, mode, null, true);
  }

  /**
   * Keeps the file open under a handle name, which any file call takes in place of a path from then on, so that
   * a file that was renamed or unlinked can still be written.
   */
  open(path: string, handle: string, flags: Partial<OpenFlags> = {}): this {
    const fd = this.#nextFd++;
    this.#handles.set(handle, fd);
    return this.#call(
      { call: 'open', at: { path }, flags: { ...READ_FLAGS, write: true, ...flags }, mode: 0o644 },
      { value: fd },
    );
  }

  /** The close of a handle; for a path, of a descriptor that only this call knows. */
  close(pathOrHandle: string): this {
    return this.#throughFd(pathOrHandle, {}, 0, (fd) => ({ call: 'close', fd }), true);
  }

  write(
    path: string,
    offset: number,
    data: string | Uint8Array,
    options: BuilderWriteOptions = {},
  ): this {
    const bytes = bytesOf(data);
    const { durable, written } = options;
    const strength = durable === undefined ? {} : { durable };
    return this.#throughFd(
      path,
      {},
      0,
      (fd) => ({ call: 'write', fd, position: offset, data: bytes, ...strength }),
      false,
      written,
    );
  }

  append(path: string, data: string | Uint8Array): this {
    const bytes = bytesOf(data);
    return this.#throughFd(
      path,
      { append: true },
      0,
      (fd) => ({ call: 'write', fd, position: null, data: bytes }),
      false,
    );
  }

  /** Create or truncate, write, close: three or four operations of one step, like `fs.writeFileSync`. */
  writeFile(path: string, data: string | Uint8Array): this {
    const bytes = bytesOf(data);
    const fd = this.#nextFd++;
    const flags: OpenFlags = { ...READ_FLAGS, write: true, create: true, truncate: true };
    const origin = this.#origin();
    const { process, thread, stack } = origin;
    const same: CallOrigin = { process, thread, stack };
    const run = (call: SystemCall, value: number): void => {
      this.#tracker.run(same, call, { value });
    };
    run({ call: 'open', at: { path }, flags, mode: 0o644 }, fd);
    run({ call: 'write', fd, position: null, data: bytes }, bytes.byteLength);
    run({ call: 'close', fd }, 0);
    return this;
  }

  truncate(path: string, size: number): this {
    return this.#throughFd(path, {}, 0, (fd) => ({ call: 'truncate', at: { fd }, size }), false);
  }

  allocate(
    path: string,
    offset: number,
    length: number,
    mode: 'extend' | 'keep-size' | 'punch-hole' | 'zero-range' = 'extend',
  ): this {
    return this.#throughFd(
      path,
      {},
      0,
      (fd) => ({ call: 'allocate', fd, mode, offset, length }),
      false,
    );
  }

  /** fsync of a file or, to make its names durable, of a directory ('.' is the root). */
  fsync(path: string): this {
    return this.#throughFd(path, {}, 0, (fd) => ({ call: 'sync', fd, scope: 'all' }), false);
  }

  fdatasync(path: string): this {
    return this.#throughFd(path, {}, 0, (fd) => ({ call: 'sync', fd, scope: 'data' }), false);
  }

  syncAll(): this {
    return this.#call({ call: 'sync-all' });
  }

  chmod(path: string, mode: number): this {
    const value = mode.toString(8);
    return this.#call({ call: 'attribute', at: { path }, field: 'mode', value });
  }

  // Names.

  mkdir(path: string, mode = 0o755): this {
    return this.#call({ call: 'mkdir', at: { path }, mode });
  }

  rmdir(path: string): this {
    return this.#call({ call: 'unlink', at: { path }, directory: true });
  }

  unlink(path: string): this {
    return this.#call({ call: 'unlink', at: { path }, directory: false });
  }

  rename(from: string, to: string, options: { readonly exchange?: boolean } = {}): this {
    const exchange = options.exchange === true ? { exchange: true } : {};
    return this.#call({ call: 'rename', from: { path: from }, to: { path: to }, ...exchange });
  }

  link(from: string, to: string): this {
    return this.#call({ call: 'link', from: { path: from }, to: { path: to } });
  }

  symlink(target: string, path: string): this {
    return this.#call({ call: 'symlink', target, at: { path } });
  }

  // The outside world.

  mark(text: string): this {
    return this.#call({ call: 'mark', source: 'mark', text });
  }

  /** A line on standard output; the newline is added. */
  print(line: string): this {
    return this.#call({ call: 'mark', source: 'stdout', text: `${line}\n` });
  }

  exit(code = 0): this {
    return this.#call({ call: 'mark', source: 'exit', text: String(code) });
  }

  unmodelled(what: string): this {
    return this.#call({ call: 'unmodelled', what });
  }

  /** The trace so far; calls that were started and never ended have no end. */
  build(): Trace {
    for (const pending of this.#open.values()) this.#tracker.end(pending, null);
    this.#open.clear();
    const { ignoredOutside } = this.#tracker;
    return this.#collector.trace({ command: ['program'], root: '/root', ignoredOutside });
  }

  #origin(): CallOrigin {
    this.#step += 1;
    const line = this.#step;
    const frame = this.#frame ?? { function: 'main', file: 'program.js', line, column: 1 };
    this.#frame = null;
    const stack = this.#collector.addStack([frame]);
    return { process: PROCESS, thread: this.#thread, stack };
  }

  #successOf(call: SystemCall): number {
    return call.call === 'write' ? call.data.byteLength : 0;
  }

  #call(call: SystemCall, result?: CallResult): this {
    const pending = this.#tracker.begin(this.#origin(), call);
    if (this.#label !== null) {
      this.#open.set(this.#label, pending);
      this.#label = null;
      return this;
    }
    const error = this.#error;
    this.#error = null;
    if (error !== null) this.#tracker.end(pending, { error });
    else this.#tracker.end(pending, result ?? { value: this.#successOf(call) });
    return this;
  }

  /** Runs a call on a descriptor of the file that leaves no operation of its own in the trace. */
  #throughFd(
    path: string,
    flags: Partial<OpenFlags>,
    mode: number,
    make: ((fd: number) => SystemCall) | null,
    write: boolean,
    value?: number,
  ): this {
    const handle = this.#handles.get(path);
    const result = value === undefined ? undefined : { value };
    if (handle !== undefined && make !== null) return this.#call(make(handle), result);
    const fd = this.#nextFd++;
    const full: OpenFlags = { ...READ_FLAGS, write, ...flags };
    const open: SystemCall = { call: 'open', at: { path }, flags: full, mode };
    if (make === null) {
      this.#call(open, { value: fd });
      return this.#silently({ call: 'set-append', fd, append: false }, 0);
    }
    this.#silently(open, fd);
    return this.#call(make(fd), result);
  }

  #silently(call: SystemCall, value: number): this {
    this.#tracker.run({ process: PROCESS, thread: this.#thread, stack: -1 }, call, { value });
    return this;
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}

/** A tree from paths; parents are made. */
export function treeOf(files: Readonly<Record<string, string | Uint8Array>>): FileTreeDirectory {
  const root = new Map<string, FileTreeNode>();
  const maps = new Map<string, Map<string, FileTreeNode>>([['', root]]);
  const directory = (path: string): Map<string, FileTreeNode> => {
    const known = maps.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const entries = new Map<string, FileTreeNode>();
    const parent = directory(slash < 0 ? '' : path.slice(0, slash));
    parent.set(path.slice(slash + 1), { kind: 'directory', mode: 0o755, entries });
    maps.set(path, entries);
    return entries;
  };
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith('/')) {
      directory(path.slice(0, -1));
      continue;
    }
    const slash = path.lastIndexOf('/');
    const entries = directory(slash < 0 ? '' : path.slice(0, slash));
    entries.set(path.slice(slash + 1), { kind: 'file', mode: 0o644, content: bytesOf(content) });
  }
  return { kind: 'directory', mode: 0o755, entries: root };
}
