/**
 * Follows the lines of `strace` and tells the namespace tracker what they say: processes, threads and their
 * descriptors, calls with start and end, standard output as marks. Whatever cannot be modelled is named.
 */

import { UsageError } from '../../base/errors.ts';
import type { OpenFile } from './descriptor-table.ts';
import {
  copiedBytes,
  descriptorInfo,
  executableOf,
  onSameFileSystem,
  parentOf,
} from './live-process.ts';
import type { NamespaceTracker } from './namespace-tracker.ts';
import type { StraceArgument, StraceResult } from './strace-arguments.ts';
import { flagsOf, numberOf, STRACE_DESCRIBERS, textOf } from './strace-calls.ts';
import { copyOf, type Copy } from './strace-copies.ts';
import { parseLine, type StraceLine } from './strace-line.ts';
import { SharedMappings } from './strace-mappings.ts';
import { StraceOutput, type StandardOutput } from './strace-output.ts';
import {
  cloneFlags,
  isEventRing,
  placeholderOf,
  resultOf,
  type Held,
  type Task,
  type UnderWay,
} from './strace-task.ts';
import { READ_FLAGS, type SystemCall } from './system-call.ts';
import type { CallOrigin, PendingCall } from './tracker-context.ts';

export interface StraceRecorderOptions {
  readonly root: string;
  /** Where the program starts; absolute, without links. */
  readonly directory: string;
  readonly umask: number;
  readonly output: StandardOutput;
}

const SHARED_MAPPING = 'a shared writable mapping';

const CLONES = new Set(['clone', 'clone3', 'fork', 'vfork']);

/** Threads and processes at one time; a program with more has most likely run wild. */
const TASKS_MAX = 2000;

export class StraceRecorder {
  readonly #tracker: NamespaceTracker;
  readonly #options: StraceRecorderOptions;
  readonly #tasks = new Map<number, Task>();
  /** The last line that a task was the author of decides whose output a line of marks is. */
  #author: Task | null = null;
  readonly #output: StraceOutput;
  #first: Task | null = null;
  #threads = 0;
  #held: Held | null = null;
  /** The first process, once it ended: its task stays, for what its last line was. */
  #ended: number | null = null;
  /** The program was started: strace itself may fail before that. */
  started = false;

  constructor(tracker: NamespaceTracker, options: StraceRecorderOptions) {
    this.#tracker = tracker;
    this.#options = options;
    this.#output = new StraceOutput(options.output, (source, text) => {
      this.#mark(source, text);
    });
  }

  /** Processes and threads that have not ended. */
  get pids(): readonly number[] {
    return [...this.#tasks.keys()].filter((pid) => pid !== this.#ended);
  }

  line(text: string): void {
    const line = parseLine(text);
    if (line.kind === 'frame') {
      const { symbol, file } = line;
      this.#held?.frames.push({ function: symbol === '' ? '?' : symbol, file, line: 0, column: 0 });
      return;
    }
    this.#release();
    this.#apply(line);
  }

  /** No more lines come. Calls that have not ended have no end. */
  finish(): void {
    this.#release();
    for (const task of this.#tasks.values()) this.#dropUnderWay(task);
  }

  #apply(line: Exclude<StraceLine, { kind: 'frame' }>): void {
    switch (line.kind) {
      case 'call': {
        const task = this.#task(line.pid);
        this.#begin(task, line.name, line.args);
        if (line.result !== null) this.#end(task, line.result);
        return;
      }
      case 'resumed': {
        const task = this.#task(line.pid);
        // The execve of another thread of the process ends under the name of the first thread.
        if (task.underWay === null) this.#begin(task, line.name, line.args);
        this.#end(task, line.result);
        return;
      }
      case 'exited':
      case 'killed':
        this.#exit(line);
        return;
      case 'superseded':
        this.#supersede(line.pid, line.by);
        return;
      case 'other':
    }
  }

  /** The task of a number. The child of a clone may speak before the clone has told of it. */
  #task(pid: number): Task {
    const known = this.#tasks.get(pid);
    if (known !== undefined) return known;
    if (this.#first === null) {
      this.#tracker.addProcess(pid, this.#options.directory);
      const first: Task = {
        pid,
        thread: this.#threads++,
        umask: { value: this.#options.umask },
        memory: { mappings: new SharedMappings(), executable: '' },
        underWay: null,
      };
      this.#first = first;
      this.#tasks.set(pid, first);
      return first;
    }
    const cloning = [...this.#tasks.values()].filter(
      ({ underWay }) => underWay !== null && CLONES.has(underWay.name),
    );
    const parent = cloning.find((task) => task.pid === parentOf(pid)) ?? cloning[0] ?? this.#first;
    return this.#fork(parent, pid, parent.underWay?.args ?? []);
  }

  #fork(parent: Task, pid: number, args: readonly StraceArgument[]): Task {
    if (this.#tasks.size >= TASKS_MAX) {
      throw new UsageError(
        `the recorded program has more than ${TASKS_MAX} processes and threads at one time and was ` +
          'ended; record one that makes fewer',
      );
    }
    const flags = cloneFlags(args);
    const files = flags.has('CLONE_FILES');
    const directory = flags.has('CLONE_FS');
    this.#tracker.fork(parent.pid, pid, { files, directory });
    const { mappings, executable } = parent.memory;
    const task: Task = {
      pid,
      thread: this.#threads++,
      umask: directory ? parent.umask : { ...parent.umask },
      memory: flags.has('CLONE_VM') ? parent.memory : { mappings: mappings.copy(), executable },
      underWay: null,
    };
    this.#tasks.set(pid, task);
    return task;
  }

  #begin(task: Task, name: string, args: readonly StraceArgument[]): void {
    for (const arg of args) this.#adoptInherited(task, arg);
    const copy = copyOf(name, args);
    const call = copy === null ? this.#describe(task, name, args) : placeholderOf(copy);
    const origin = this.#origin(task);
    const pending = call === null ? null : this.#tracker.begin(origin, call);
    task.underWay = { name, args, pending, copy };
  }

  #describe(task: Task, name: string, args: readonly StraceArgument[]): SystemCall | null {
    const describe = Object.hasOwn(STRACE_DESCRIBERS, name) ? STRACE_DESCRIBERS[name] : undefined;
    if (describe !== undefined) return describe(args, task.umask.value);
    const [first, second, third] = args;
    const fd = numberOf(first);
    if (name === 'syncfs') {
      // A descriptor elsewhere may be on the root's file system all the same.
      const inside = this.#tracker.descriptor(task.pid, fd)?.node != null;
      const synced = inside || onSameFileSystem(first?.opened ?? '', this.#options.root);
      return synced ? { call: 'sync-all' } : null;
    }
    if (name !== 'fcntl') return null;
    if (second?.text === 'F_DUPFD') return { call: 'dup', fd, closeOnExec: false };
    if (second?.text === 'F_DUPFD_CLOEXEC') return { call: 'dup', fd, closeOnExec: true };
    if (second?.text !== 'F_SETFL') return null;
    return { call: 'set-append', fd, append: flagsOf(third).has('O_APPEND') };
  }

  #end(task: Task, result: StraceResult): void {
    const call = task.underWay;
    if (call === null) return;
    // `execve` ends as a success before the new program runs; the descriptors must be right by then.
    task.underWay = null;
    this.#held = { task, call, result, frames: [] };
  }

  /** Tells the tracker of a call that ended, now that its stack is complete. */
  #release(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    const { task, call, result, frames } = held;
    this.#author = task;
    const restarted = result.error?.startsWith('ERESTART') === true;
    if (call.pending !== null && !restarted) {
      const stack = this.#tracker.sink.addStack(frames);
      const pending = { ...call.pending, origin: { ...call.pending.origin, stack } };
      if (call.copy === null) this.#tracker.end(pending, resultOf(result));
      else this.#endCopy(task, call.copy, pending, result);
      if (call.args[1]?.truncated === true)
        this.#unmodelled(task, 'a very long write', {
          file: pending.file,
          fd: numberOf(call.args[0]),
        });
    }
    if (result.value === null) return;
    this.#output.call(call.name, call.args, result.value);
    this.#afterwards(task, call, result.value);
  }

  #endCopy(task: Task, copy: Copy, pending: PendingCall, result: StraceResult): void {
    const moved = result.value ?? 0;
    const { file } = pending;
    if (result.value === null || (moved === 0 && !copy.whole)) return;
    const sourceOffset =
      copy.fromPosition ?? this.#tracker.descriptor(task.pid, copy.from)?.offset ?? 0;
    if (copy.fromPosition === null) {
      this.#tracker.run(this.#origin(task), { call: 'read', fd: copy.from }, { value: moved });
    }
    this.#output.copied(copy, sourceOffset, moved);
    if (file === undefined) return;
    if (file.node?.kind !== 'file') {
      this.#tracker.end(pending, { value: moved });
      return;
    }
    const ownOffset = file.append ? file.node.size : file.offset;
    const target = { path: copy.toOpened, offset: copy.position ?? ownOffset };
    const source = { path: copy.fromOpened, offset: sourceOffset };
    const data = copiedBytes(task.pid, target, source, copy.whole ? copy.length : moved);
    if (data === null) {
      this.#unmodelled(task, 'a copy whose bytes were gone', { file, fd: copy.to });
      return;
    }
    const call: SystemCall = { call: 'write', fd: copy.to, position: copy.position, data };
    this.#tracker.end({ ...pending, call }, { value: data.byteLength });
  }

  /** What calls mean beside files. */
  #afterwards(task: Task, { name, args }: UnderWay, value: number): void {
    if (CLONES.has(name) && value > 0 && !this.#tasks.has(value)) this.#fork(task, value, args);
    else if (name === 'umask') task.umask.value = numberOf(args[0]);
    else if (name === 'execve' || name === 'execveat') {
      this.started = true;
      // A new one: after vfork the parent has the old one still.
      const executable = executableOf(task.pid) ?? textOf(args[name === 'execve' ? 0 : 1]);
      task.memory = { mappings: new SharedMappings(), executable };
      this.#tracker.exec(task.pid);
    } else if (name === 'fcntl' && args[1]?.text === 'F_SETFD') {
      const closeOnExec = flagsOf(args[2]).has('FD_CLOEXEC');
      this.#tracker.setCloseOnExec(task.pid, numberOf(args[0]), closeOnExec);
    } else if (name === 'ioctl') {
      const request = args[1]?.text;
      if (request !== 'FIOCLEX' && request !== 'FIONCLEX') return;
      this.#tracker.setCloseOnExec(task.pid, numberOf(args[0]), request === 'FIOCLEX');
    } else if (name === 'close_range') this.#closeRange(task, args);
    else if (name === 'unshare') {
      if (flagsOf(args[0]).has('CLONE_FILES')) this.#tracker.unshareFiles(task.pid);
    } else if (name === 'mmap') this.#mapped(task, args, value);
    else if (name === 'mprotect') {
      for (const { file, fd } of task.memory.mappings.protected(args)) {
        this.#unmodelled(task, SHARED_MAPPING, { file, fd });
      }
    } else if (name === 'msync') this.#synced(task, args);
    else if (name === 'io_uring_setup' && !isEventRing(task.memory.executable, args)) {
      this.#unmodelled(task, 'io_uring', null);
    }
  }

  #closeRange(task: Task, [first, last, flags]: readonly StraceArgument[]): void {
    const end = last?.text.startsWith('-') === true ? Infinity : numberOf(last);
    const origin = this.#origin(task);
    for (const fd of this.#tracker.openDescriptors(task.pid, numberOf(first), end)) {
      if (flagsOf(flags).has('CLOSE_RANGE_CLOEXEC')) {
        this.#tracker.setCloseOnExec(task.pid, fd, true);
      } else this.#tracker.run(origin, { call: 'close', fd }, { value: 0 });
    }
  }

  #mapped(task: Task, args: readonly StraceArgument[], address: number): void {
    const file = this.#tracker.descriptor(task.pid, numberOf(args[4]));
    const written = task.memory.mappings.mapped(args, address, file);
    if (written !== null) this.#unmodelled(task, SHARED_MAPPING, written);
  }

  /** A sync of all that the file has is told; of a part of it nothing is promised in a trace. */
  #synced(task: Task, args: readonly StraceArgument[]): void {
    const { whole, part } = task.memory.mappings.synced(args);
    const waits = flagsOf(args[2]).has('MS_SYNC');
    for (const { file, fd } of waits ? whole : []) {
      this.#runOn(task, file, { call: 'sync', fd, scope: 'data' });
    }
    for (const { file, fd } of waits ? part : [...whole, ...part]) {
      this.#runOn(task, file, { call: 'writeback', fd, offset: 0, length: 0 });
    }
  }

  #unmodelled(
    task: Task,
    what: string,
    at: { file: OpenFile | undefined; fd: number } | null,
  ): void {
    if (at === null)
      this.#tracker.run(this.#origin(task), { call: 'unmodelled', what }, { value: 0 });
    else this.#runOn(task, at.file, { call: 'unmodelled', what, at: { fd: at.fd } });
  }

  /** A call on what a descriptor had open when it was used, though it may be closed since. */
  #runOn(task: Task, file: OpenFile | undefined, call: SystemCall): void {
    const pending = this.#tracker.begin(this.#origin(task), call);
    this.#tracker.end({ ...pending, file }, { value: 0 });
  }

  #origin(task: Task): CallOrigin {
    return { process: task.pid, thread: task.thread, stack: -1 };
  }

  #mark(source: 'mark' | 'stdout' | 'exit', text: string): void {
    const task = this.#author ?? this.#first;
    if (task === null) return;
    this.#tracker.run(this.#origin(task), { call: 'mark', source, text }, { value: 0 });
  }

  #exit(line: Extract<StraceLine, { kind: 'exited' | 'killed' }>): void {
    const task = this.#task(line.pid);
    this.#dropUnderWay(task);
    if (task === this.#first) {
      this.#author = task;
      this.#output.end();
      if (line.kind === 'exited') this.#mark('exit', String(line.code));
      this.#ended = task.pid;
      // Others may outlive it; they have a task of their own.
      return;
    }
    this.#tasks.delete(task.pid);
    this.#tracker.exit(task.pid);
  }

  /** An execve ends all threads but one, and that one goes on under the number of the first. */
  #supersede(pid: number, by: number): void {
    const survivor = this.#tasks.get(by);
    const task = this.#task(pid);
    this.#dropUnderWay(task);
    if (survivor === undefined) return;
    task.underWay = survivor.underWay;
    survivor.underWay = null;
    this.#tasks.delete(by);
    this.#tracker.exit(by);
  }

  #dropUnderWay(task: Task): void {
    const { underWay } = task;
    task.underWay = null;
    if (underWay?.pending == null) return;
    const { pending, copy } = underWay;
    if (copy === null) this.#tracker.end(pending, null);
    else if (pending.file?.node?.kind === 'file') {
      this.#unmodelled(task, 'a copy that did not return', { file: pending.file, fd: copy.to });
    }
  }

  /** A descriptor that the program was started with and that leads into the root. */
  #adoptInherited(task: Task, arg: StraceArgument): void {
    const { opened, text } = arg;
    if (opened === undefined || !/^\d/.test(text)) return;
    const { root } = this.#options;
    if (opened !== root && !opened.startsWith(`${root}/`)) return;
    const fd = numberOf(arg);
    if (this.#tracker.descriptor(task.pid, fd) !== undefined) return;
    const { append, position } = descriptorInfo(task.pid, fd);
    const origin = this.#origin(task);
    const flags = { ...READ_FLAGS, write: true, append, closeOnExec: false };
    const call: SystemCall = { call: 'open', at: { path: opened }, flags, mode: 0 };
    this.#tracker.run(origin, call, { value: fd });
    this.#tracker.run(origin, { call: 'seek', fd }, { value: position });
  }
}
