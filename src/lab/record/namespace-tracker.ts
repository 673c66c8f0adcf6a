/**
 * The shadow file system that all recorders share: it is told which calls started and how they ended, in the
 * order in which that happened, and tells a trace sink the operations they were, on inodes. What a call means
 * for names, sizes and descriptors is in `tracker-calls.ts`.
 */

import { assert } from '../../base/assert.ts';
import { ProcessState, type OpenFile } from './descriptor-table.ts';
import { ShadowTree, type Location } from './shadow-tree.ts';
import type { CallResult, SystemCall } from './system-call.ts';
import { applyCall } from './tracker-calls.ts';
import type { CallOrigin, PendingCall, TrackerContext } from './tracker-context.ts';
import type { TraceSink } from './trace-sink.ts';

export interface TrackerOptions {
  /** Absolute path of the root, without links. */
  readonly rootPath: string;
  readonly sink: TraceSink;
  /** See `ShadowTree`. */
  readonly realOutside?: (directory: string) => string;
}

export class NamespaceTracker implements TrackerContext {
  readonly tree: ShadowTree;
  readonly sink: TraceSink;
  /** Changes outside the root that were seen and left out. */
  ignoredOutside = 0;
  readonly #processes = new Map<number, ProcessState>();
  readonly #unmodelled = new Set<string>();
  #clock = 0;

  constructor(options: TrackerOptions) {
    this.sink = options.sink;
    this.tree = new ShadowTree(options.rootPath, options.realOutside);
  }

  /** A process whose descriptors are not known; `directory` is its working directory, absolute. */
  addProcess(process: number, directory: string): void {
    const found = this.tree.resolve('/', directory, true);
    let location: Location = this.tree.root;
    if (found.place === 'outside') location = found.path;
    if (found.place === 'inside' && found.node?.kind === 'directory') location = found.node;
    this.#processes.set(process, new ProcessState({ location }));
  }

  /** A child as fork or clone makes it. */
  fork(parent: number, child: number, share: { files: boolean; directory: boolean }): void {
    this.#processes.set(child, this.#process(parent).fork(share.files, share.directory));
  }

  /** From now on the descriptors of this process are its own. */
  unshareFiles(process: number): void {
    const shared = this.#process(process);
    this.#processes.set(process, shared.fork(false, true));
    shared.exit();
  }

  /** execve: the descriptors that are marked so are closed, in this process alone. */
  exec(process: number): void {
    this.unshareFiles(process);
    const state = this.#process(process);
    for (const fd of state.closedByExec()) state.remove(fd);
  }

  setCloseOnExec(process: number, fd: number, closeOnExec: boolean): void {
    this.#process(process).setCloseOnExec(fd, closeOnExec);
  }

  openDescriptors(process: number, first: number, last: number): number[] {
    return this.#process(process).between(first, last);
  }

  /** The end of a process or thread. What it left open is closed without a word. */
  exit(process: number): void {
    this.#process(process).exit();
    this.#processes.delete(process);
  }

  hasProcess(process: number): boolean {
    return this.#processes.has(process);
  }

  /** What a descriptor has open; undefined for one that the tracker was never told of. */
  descriptor(process: number, fd: number): OpenFile | undefined {
    return this.#process(process).get(fd);
  }

  begin(origin: CallOrigin, call: SystemCall): PendingCall {
    const process = this.#process(origin.process);
    const fd = descriptorOf(call);
    const file = fd === null ? undefined : process.get(fd);
    return { call, origin, process, start: this.#tick(), file };
  }

  /** The call ended: its operations, if any, go to the sink. */
  end(pending: PendingCall, result: CallResult): void {
    const operations = applyCall(this, pending, result);
    const { thread, stack } = pending.origin;
    operations.forEach((operation, index) => {
      if (operation.kind === 'unmodelled') {
        // Once by name: the verdict is incomplete after the first, and a loop would fill the trace.
        if (this.#unmodelled.has(operation.what)) return;
        this.#unmodelled.add(operation.what);
      }
      const start = index === 0 ? pending.start : this.#tick();
      const end = result === null ? null : this.#tick();
      this.sink.addOperation({ ...operation, start, end, thread, stack });
    });
  }

  /** A call whose start and end were reported as one. */
  run(origin: CallOrigin, call: SystemCall, result: CallResult): void {
    this.end(this.begin(origin, call), result);
  }

  #process(id: number): ProcessState {
    const process = this.#processes.get(id);
    assert(process !== undefined, `process ${id} was reported before its calls`);
    return process;
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}

/** The descriptor that a call acts on, or null. Paths relative to a descriptor are looked up at the end. */
function descriptorOf(call: SystemCall): number | null {
  if ('fd' in call) return call.fd;
  if ('at' in call && call.at !== undefined && 'fd' in call.at) return call.at.fd;
  if (call.call === 'link' && 'fd' in call.from) return call.from.fd;
  return null;
}
