/**
 * Follows the lines of `strace` and tells the namespace tracker what they say: processes, threads and their
 * descriptors, calls with start and end, standard output as marks. Whatever cannot be modelled is named.
 */

import { descriptorInfo, executableOf, parentOf, readBack } from './live-process.ts';
import { MarkLines } from './mark-lines.ts';
import type { NamespaceTracker } from './namespace-tracker.ts';
import type { StackFrame } from './operation.ts';
import type { StraceArgument, StraceResult } from './strace-arguments.ts';
import { flagsOf, numberOf, STRACE_DESCRIBERS, textOf } from './strace-calls.ts';
import { COPY_CALLS, copyOf, type Copy } from './strace-copies.ts';
import { parseLine, type StraceLine } from './strace-line.ts';
import { READ_FLAGS, type CallResult, type SystemCall } from './system-call.ts';
import type { PendingCall } from './tracker-context.ts';

/** A mapping of a file of the root that others see and that may become writable. */
interface SharedMapping {
  readonly start: number;
  readonly end: number;
  readonly fd: number;
}

/** What the threads of a process share beside descriptors. */
interface Memory {
  mappings: SharedMapping[];
  /** The program that runs in it. */
  executable: string;
}

/** One thread, or a process with one. */
interface Task {
  readonly pid: number;
  /** Its number in the trace. */
  readonly thread: number;
  /** Shared between threads. */
  readonly umask: { value: number };
  memory: Memory;
  underWay: UnderWay | null;
}

interface UnderWay {
  readonly name: string;
  readonly args: readonly StraceArgument[];
  readonly pending: PendingCall | null;
  readonly copy: Copy | null;
}

/** A call that ended; its stack may follow on the next lines. */
interface Held {
  readonly task: Task;
  readonly call: UnderWay;
  readonly result: StraceResult;
  readonly frames: StackFrame[];
}

export interface StraceRecorderOptions {
  readonly root: string;
  /** Where the program starts; absolute, without links. */
  readonly directory: string;
  readonly umask: number;
  readonly output: StandardOutput;
}

export interface StandardOutput {
  /** What it is, as `/proc/PID/fd/1` tells it. */
  readonly stdout: string;
  /** Standard error is the same terminal or file, so only the number tells them apart. */
  readonly sharedWithError: boolean;
}

const STDOUT_FD = 1;

const CLONES = new Set(['clone', 'clone3', 'fork', 'vfork']);
const SENDS = new Set(['write', 'writev', 'sendto', 'sendmsg']);

export class StraceRecorder {
  readonly #tracker: NamespaceTracker;
  readonly #options: StraceRecorderOptions;
  readonly #tasks = new Map<number, Task>();
  /** The last line that a task was the author of decides whose output a line of marks is. */
  #author: Task | null = null;
  readonly #output: MarkLines;
  #first: Task | null = null;
  #threads = 0;
  #held: Held | null = null;
  /** The program was started: strace itself may fail before that. */
  started = false;

  constructor(tracker: NamespaceTracker, options: StraceRecorderOptions) {
    this.#tracker = tracker;
    this.#options = options;
    this.#output = new MarkLines((text) => this.#mark('stdout', text));
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
        memory: { mappings: [], executable: '' },
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
    const flags = cloneFlags(args);
    const files = flags.has('CLONE_FILES');
    const directory = flags.has('CLONE_FS');
    this.#tracker.fork(parent.pid, pid, { files, directory });
    const { mappings, executable } = parent.memory;
    const task: Task = {
      pid,
      thread: this.#threads++,
      umask: directory ? parent.umask : { ...parent.umask },
      memory: flags.has('CLONE_VM') ? parent.memory : { mappings: [...mappings], executable },
      underWay: null,
    };
    this.#tasks.set(pid, task);
    return task;
  }

  #begin(task: Task, name: string, args: readonly StraceArgument[]): void {
    for (const arg of args) this.#adoptInherited(task, arg);
    const copy = copyOf(name, args);
    const call = copy === null ? this.#describe(task, name, args) : placeholderOf(copy);
    const origin = { process: task.pid, thread: task.thread, stack: -1 };
    const pending = call === null ? null : this.#tracker.begin(origin, call);
    task.underWay = { name, args, pending, copy };
  }

  #describe(task: Task, name: string, args: readonly StraceArgument[]): SystemCall | null {
    const describe = Object.hasOwn(STRACE_DESCRIBERS, name) ? STRACE_DESCRIBERS[name] : undefined;
    if (describe !== undefined) return describe(args, task.umask.value);
    const [first, second, third] = args;
    const fd = numberOf(first);
    if (name === 'syncfs') {
      const node = this.#tracker.descriptor(task.pid, fd)?.node ?? null;
      return node === null ? null : { call: 'sync-all' };
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
        this.#unmodelled(task, 'a very long write', call.args[0]);
    }
    if (result.value === null) return;
    this.#tellOutput(call, result.value);
    this.#afterwards(task, call, result.value);
  }

  #endCopy(task: Task, copy: Copy, pending: PendingCall, result: StraceResult): void {
    const moved = result.value ?? 0;
    const { file } = pending;
    if (file === undefined || result.value === null || (moved === 0 && !copy.whole)) return;
    const sourceOffset =
      copy.fromPosition ?? this.#tracker.descriptor(task.pid, copy.from)?.offset ?? 0;
    if (copy.fromPosition === null) {
      const origin = { process: task.pid, thread: task.thread, stack: -1 };
      this.#tracker.run(origin, { call: 'read', fd: copy.from }, { value: moved });
    }
    if (file.node?.kind !== 'file') {
      this.#tracker.end(pending, { value: moved });
      return;
    }
    const ownOffset = file.append ? file.node.size : file.offset;
    const offset = copy.whole ? 0 : (copy.position ?? ownOffset);
    const length = copy.whole ? null : moved;
    // The program runs on: the target may have another name by now, or be gone.
    const data =
      readBack(copy.toOpened, offset, length) ?? readBack(copy.fromOpened, sourceOffset, length);
    if (data === null) {
      this.#unmodelled(task, 'a copy whose bytes were gone', undefined);
      return;
    }
    const position = copy.whole ? 0 : copy.position;
    const call: SystemCall = { call: 'write', fd: copy.to, position, data };
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
      task.memory = { mappings: [], executable };
      this.#tracker.exec(task.pid);
    } else if (name === 'fcntl' && args[1]?.text === 'F_SETFD') {
      const closeOnExec = flagsOf(args[2]).has('FD_CLOEXEC');
      this.#tracker.setCloseOnExec(task.pid, numberOf(args[0]), closeOnExec);
    } else if (name === 'close_range') this.#closeRange(task, args);
    else if (name === 'mmap') this.#mapped(task, args, value);
    else if (name === 'mprotect') this.#protected(task, args);
    else if (name === 'io_uring_setup' && !isEventRing(task.memory.executable, args)) {
      this.#unmodelled(task, 'io_uring', undefined);
    }
  }

  #closeRange(task: Task, [first, last, flags]: readonly StraceArgument[]): void {
    const end = last?.text.startsWith('-') === true ? Infinity : numberOf(last);
    const origin = { process: task.pid, thread: task.thread, stack: -1 };
    for (const fd of this.#tracker.openDescriptors(task.pid, numberOf(first), end)) {
      if (flagsOf(flags).has('CLOSE_RANGE_CLOEXEC')) {
        this.#tracker.setCloseOnExec(task.pid, fd, true);
      } else this.#tracker.run(origin, { call: 'close', fd }, { value: 0 });
    }
  }

  /** Bytes that a program changes through a shared mapping reach the disk without any call. */
  #mapped(task: Task, args: readonly StraceArgument[], address: number): void {
    const [, length, protection, flags, fd] = args;
    const names = flagsOf(flags);
    if (!names.has('MAP_SHARED') && !names.has('MAP_SHARED_VALIDATE')) return;
    const file = this.#tracker.descriptor(task.pid, numberOf(fd));
    if (file?.node == null || !file.write) return;
    if (flagsOf(protection).has('PROT_WRITE')) this.#sharedMapping(task, fd);
    else {
      const end = address + numberOf(length);
      task.memory.mappings.push({ start: address, end, fd: numberOf(fd) });
    }
  }

  #protected(task: Task, [address, length, protection]: readonly StraceArgument[]): void {
    if (!flagsOf(protection).has('PROT_WRITE')) return;
    const start = numberOf(address);
    const end = start + numberOf(length);
    for (const mapping of task.memory.mappings) {
      const overlaps = mapping.start < end && start < mapping.end;
      if (overlaps) this.#sharedMapping(task, { text: String(mapping.fd) });
    }
  }

  #sharedMapping(task: Task, fd: StraceArgument | undefined): void {
    this.#unmodelled(task, 'a shared writable mapping', fd);
  }

  #unmodelled(task: Task, what: string, fd: StraceArgument | undefined): void {
    const origin = { process: task.pid, thread: task.thread, stack: -1 };
    const place = fd === undefined ? {} : { at: { fd: numberOf(fd) } };
    this.#tracker.run(origin, { call: 'unmodelled', what, ...place }, { value: 0 });
  }

  /** Standard output line by line, and whatever goes to another machine or program over a connection. */
  #tellOutput({ name, args }: UnderWay, count: number): void {
    if (!SENDS.has(name)) return;
    const opened = args[0]?.opened ?? '';
    const isOutput = name.startsWith('write') && this.#isOutput(numberOf(args[0]), opened);
    const isConnection = /^TCP(v6)?:/.test(opened);
    if (!isOutput && !isConnection) return;
    const sent = sentBytes(args[1]).subarray(0, count);
    if (isOutput) this.#output.write(sent);
    else this.#mark('mark', Buffer.from(sent).toString('utf8'));
  }

  #isOutput(fd: number, opened: string): boolean {
    const { stdout, sharedWithError } = this.#options.output;
    if (sharedWithError && fd !== STDOUT_FD) return false;
    if (opened === stdout) return true;
    // strace tells more of a socket than its number.
    const [, socket] = /^socket:\[(\d+)\]$/.exec(stdout) ?? [];
    return socket !== undefined && new RegExp(`^[A-Z-]+:\\[${socket}\\b`).test(opened);
  }

  #mark(source: 'mark' | 'stdout' | 'exit', text: string): void {
    const task = this.#author ?? this.#first;
    if (task === null) return;
    const origin = { process: task.pid, thread: task.thread, stack: -1 };
    this.#tracker.run(origin, { call: 'mark', source, text }, { value: 0 });
  }

  #exit(line: Extract<StraceLine, { kind: 'exited' | 'killed' }>): void {
    const task = this.#task(line.pid);
    this.#dropUnderWay(task);
    if (task === this.#first) {
      this.#author = task;
      this.#output.end();
      if (line.kind === 'exited') this.#mark('exit', String(line.code));
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
    if (underWay?.pending == null || COPY_CALLS.has(underWay.name)) return;
    this.#tracker.end(underWay.pending, null);
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
    const origin = { process: task.pid, thread: task.thread, stack: -1 };
    const flags = { ...READ_FLAGS, write: true, append, closeOnExec: false };
    const call: SystemCall = { call: 'open', at: { path: opened }, flags, mode: 0 };
    this.#tracker.run(origin, call, { value: fd });
    this.#tracker.run(origin, { call: 'seek', fd }, { value: position });
  }
}

/** As many entries as libuv gives to the ring in which it registers descriptors with epoll. */
const EVENT_RING_ENTRIES = 256;

/**
 * Node from version 22 on makes a ring at every start, only to batch its calls of epoll_ctl: nothing in it touches
 * a file. Any other ring may hold writes that nobody sees.
 */
function isEventRing(program: string, [entries, parameters]: readonly StraceArgument[]): boolean {
  const flags = parameters?.fields?.get('flags')?.text ?? '';
  const isPlain = /^(?:0$|0x10000\b|IORING_SETUP_NO_SQARRAY$)/.test(flags);
  return numberOf(entries) === EVENT_RING_ENTRIES && isPlain && /\/node(?:js)?$/.test(program);
}

function resultOf(result: StraceResult): CallResult {
  if (result.error !== undefined) return { error: result.error };
  return result.value === null ? null : { value: result.value };
}

/** A copy's bytes are known only when it is done. */
function placeholderOf(copy: Copy): SystemCall {
  return { call: 'write', fd: copy.to, position: copy.position, data: new Uint8Array(0) };
}

function cloneFlags(args: readonly StraceArgument[]): ReadonlySet<string> {
  const texts = args.flatMap((arg) => [arg.text, arg.fields?.get('flags')?.text ?? '']);
  return new Set(texts.flatMap((text) => text.replace(/^flags=/, '').split('|')));
}

function sentBytes(data: StraceArgument | undefined): Uint8Array {
  if (data?.bytes !== undefined) return data.bytes;
  const vector = data?.list ?? data?.fields?.get('msg_iov')?.list ?? [];
  const parts = vector.map((part) => part.fields?.get('iov_base')?.bytes ?? new Uint8Array(0));
  return Buffer.concat(parts);
}
