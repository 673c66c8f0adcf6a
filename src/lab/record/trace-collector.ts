/**
 * A trace sink in memory: for traces recorded in process and for tests. Large recordings go to a file instead.
 */

import { createHash } from 'node:crypto';

import type { ContentId, InitialInode, Operation, StackFrame, Trace } from './operation.ts';
import type { TraceSink } from './trace-sink.ts';

/** The name of a byte string in a trace: SHA-256 in lower-case hex. */
export function contentId(bytes: Uint8Array): ContentId {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Gives equal stacks one index. Shared by all sinks. */
export class StackTable {
  readonly stacks: (readonly StackFrame[])[] = [];
  readonly #indexes = new Map<string, number>();

  /** The index of the stack, and whether it was new. An empty stack is -1. */
  add(frames: readonly StackFrame[]): { readonly index: number; readonly added: boolean } {
    if (frames.length === 0) return { index: -1, added: false };
    const key = frames
      .map((frame) => `${frame.function}\n${frame.file}\n${frame.line}\n${frame.column}`)
      .join('\n\n');
    const known = this.#indexes.get(key);
    if (known !== undefined) return { index: known, added: false };
    const index = this.stacks.push(frames) - 1;
    this.#indexes.set(key, index);
    return { index, added: true };
  }
}

/** Operations in the order in which their calls started. Sorts a copy. */
export function inStartOrder(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((a, b) => a.start - b.start);
}

export class TraceCollector implements TraceSink {
  readonly #initial: InitialInode[] = [];
  readonly #operations: Operation[] = [];
  readonly #contents = new Map<ContentId, Uint8Array>();
  readonly #stacks = new StackTable();

  addContent(bytes: Uint8Array): ContentId {
    const id = contentId(bytes);
    if (!this.#contents.has(id)) this.#contents.set(id, bytes.slice());
    return id;
  }

  addStack(frames: readonly StackFrame[]): number {
    return this.#stacks.add(frames).index;
  }

  addInitial(inode: InitialInode): void {
    this.#initial.push(inode);
  }

  addOperation(operation: Operation): void {
    this.#operations.push(operation);
  }

  /** What was collected so far. The result does not change when more is added. */
  trace(about: Pick<Trace, 'command' | 'root' | 'ignoredOutside'>): Trace {
    return {
      ...about,
      initial: [...this.#initial],
      operations: inStartOrder(this.#operations),
      stacks: [...this.#stacks.stacks],
      contents: new Map(this.#contents),
    };
  }
}
