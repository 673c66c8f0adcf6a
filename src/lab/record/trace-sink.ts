/**
 * Where recorded operations go: a file (`trace-writer.ts`) or memory (`trace-collector.ts`). Recorders and the
 * namespace tracker speak only to this.
 */

import type { ContentId, InitialInode, Operation, StackFrame } from './operation.ts';

export interface TraceSink {
  /** Keeps a byte string (copied or written out before this returns) and names it. */
  addContent(bytes: Uint8Array): ContentId;
  /** Keeps a call stack, innermost frame first, and gives its index; -1 for an empty one. */
  addStack(frames: readonly StackFrame[]): number;
  /** REQUIRES: all initial inodes come before the first operation. */
  addInitial(inode: InitialInode): void;
  addOperation(operation: Operation): void;
}

/** What comes is more than the sink takes. What it has until then is a whole beginning of the recording. */
export class TraceLimitError extends Error {
  override readonly name: string = 'TraceLimitError';
}
