/**
 * What the recorder keeps of each task under `strace`, and small questions about the calls of tasks. State and
 * syntax only; what a call means is told by `strace-recorder.ts`.
 */

import type { StackFrame } from './operation.ts';
import type { StraceArgument, StraceResult } from './strace-arguments.ts';
import { numberOf } from './strace-calls.ts';
import type { Copy } from './strace-copies.ts';
import type { SharedMappings } from './strace-mappings.ts';
import type { CallResult, SystemCall } from './system-call.ts';
import type { PendingCall } from './tracker-context.ts';

/** What the threads of a process share beside descriptors. */
export interface Memory {
  mappings: SharedMappings;
  /** The program that runs in it. */
  executable: string;
}

/** One thread, or a process with one. */
export interface Task {
  readonly pid: number;
  /** Its number in the trace. */
  readonly thread: number;
  /** Shared between threads. */
  readonly umask: { value: number };
  memory: Memory;
  underWay: UnderWay | null;
}

export interface UnderWay {
  readonly name: string;
  readonly args: readonly StraceArgument[];
  readonly pending: PendingCall | null;
  readonly copy: Copy | null;
}

/** A call that ended; its stack may follow on the next lines. */
export interface Held {
  readonly task: Task;
  readonly call: UnderWay;
  readonly result: StraceResult;
  readonly frames: StackFrame[];
}

/** As many entries as libuv gives to the ring in which it registers descriptors with epoll. */
const EVENT_RING_ENTRIES = 256;

/**
 * Node from version 22 on makes a ring at every start, only to batch its calls of epoll_ctl: nothing in it touches
 * a file. Any other ring may hold writes that nobody sees.
 */
export function isEventRing(
  program: string,
  [entries, parameters]: readonly StraceArgument[],
): boolean {
  const flags = parameters?.fields?.get('flags')?.text ?? '';
  const isPlain = /^(?:0$|0x10000\b|IORING_SETUP_NO_SQARRAY$)/.test(flags);
  return numberOf(entries) === EVENT_RING_ENTRIES && isPlain && /\/node(?:js)?$/.test(program);
}

export function cloneFlags(args: readonly StraceArgument[]): ReadonlySet<string> {
  const texts = args.flatMap((arg) => [arg.text, arg.fields?.get('flags')?.text ?? '']);
  return new Set(texts.flatMap((text) => text.replace(/^flags=/, '').split('|')));
}

export function resultOf(result: StraceResult): CallResult {
  if (result.error !== undefined) return { error: result.error };
  return result.value === null ? null : { value: result.value };
}

/** A copy's bytes are known only when it is done. */
export function placeholderOf(copy: Copy): SystemCall {
  return { call: 'write', fd: copy.to, position: copy.position, data: new Uint8Array(0) };
}
