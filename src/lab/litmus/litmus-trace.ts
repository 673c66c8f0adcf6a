/**
 * A litmus program as a trace, with a mark after every step, so that a place in the trace and a place in a rig's
 * block log can be told by the same thing: how many steps had returned.
 */

import type { Trace } from '../record/operation.ts';
import { TraceBuilder } from '../record/trace-builder.ts';
import { type LitmusProgram, type LitmusStep, lettersToBytes } from './litmus-program.ts';

/** What the program says once a step has returned. */
export function stepMark(step: number): string {
  return `step ${step}`;
}

export function litmusTrace(program: LitmusProgram): Trace {
  const files: Record<string, Uint8Array | string> = {};
  for (const [path, text] of Object.entries(program.initial)) {
    if (text === 'dir') files[`${path}/`] = '';
    else files[path] = lettersToBytes(text);
  }
  const builder = new TraceBuilder({ files });
  program.steps.forEach((step, index) => {
    addStep(builder, step);
    builder.mark(stepMark(index));
  });
  return builder.build();
}

/**
 * The latest moment at which exactly the first `returned` steps had returned: the next one is under way and all
 * that it does may or may not have happened. After the last step it is the end.
 */
export function positionAfter(trace: Trace, returned: number): number {
  const marks = trace.operations.filter(({ kind }) => kind === 'mark');
  const next = marks[returned];
  const last = trace.operations.at(-1);
  if (next === undefined) return last?.end ?? 0;
  const ends = trace.operations.flatMap(({ end }) => (end === null ? [] : [end]));
  return Math.max(...ends.filter((end) => end < next.start)) - 1;
}

function addStep(builder: TraceBuilder, step: LitmusStep): void {
  switch (step[0]) {
    case 'create':
      builder.create(step[1]);
      return;
    case 'write':
      builder.write(step[1], step[2], lettersToBytes(`${step[3]}${step[4]}`));
      return;
    case 'write-durable':
      builder.write(step[1], step[2], lettersToBytes(`${step[3]}${step[4]}`), { durable: 'data' });
      return;
    case 'truncate':
      builder.truncate(step[1], step[2]);
      return;
    case 'allocate':
      builder.allocate(step[1], step[2], step[3]);
      return;
    case 'fsync':
      builder.fsync(step[1]);
      return;
    case 'fdatasync':
      builder.fdatasync(step[1]);
      return;
    case 'sync-all':
      builder.syncAll();
      return;
    case 'chmod':
      builder.chmod(step[1], step[2]);
      return;
    case 'mkdir':
      builder.mkdir(step[1]);
      return;
    case 'rmdir':
      builder.rmdir(step[1]);
      return;
    case 'unlink':
      builder.unlink(step[1]);
      return;
    case 'rename':
      builder.rename(step[1], step[2]);
      return;
    case 'exchange':
      builder.rename(step[1], step[2], { exchange: true });
      return;
    case 'link':
      builder.link(step[1], step[2]);
      return;
  }
}
