/** Small random programs whose calls on one file overlap, appends most of all, from a seed. */

import { Prng } from '../../src/base/prng.ts';
import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';
import type { RandomTrace } from './random-trace.ts';

const CALLS = ['append', 'append', 'append', 'dsync', 'write', 'behind', 'sync', 'rare'] as const;

/** The same trace for the same seed. */
export function appendTrace(seed: number, stepCount: number): RandomTrace {
  const prng = new Prng(seed);
  let size = prng.pick([3, 600, 4090]);
  const builder = new TraceBuilder({ files: { log: 'o'.repeat(size), other: 'x' } });
  builder.open('log', 'durable', { append: true, durable: 'data' });
  const steps = [`log of ${size}`];
  let open: string[] = [];
  const end = (label: string): void => {
    open = open.filter((other) => other !== label);
    builder.end(label);
    steps.push(`end of ${label}`);
  };
  for (let step = 0; step < stepCount; step++) {
    const label = `call ${step}`;
    const call = prng.pick(CALLS);
    const bytes = String.fromCharCode(65 + step).repeat(prng.pick([1, 4, 600]));
    const overlaps = prng.below(3) > 0;
    if (overlaps) {
      builder.starting(label);
      open.push(label);
    }
    const place = call === 'behind' ? size : prng.pick([0, 2, 500]);
    if (call === 'append') builder.append('log', bytes);
    else if (call === 'dsync') builder.append('durable', bytes);
    else if (call === 'write' || call === 'behind') builder.write('log', place, bytes);
    else if (call === 'sync') builder.fdatasync('log');
    else if (prng.below(2) === 0) builder.truncate('log', prng.pick([0, 3]));
    else builder.append('other', bytes);
    if (call !== 'sync' && call !== 'rare') size += bytes.length;
    steps.push(`${overlaps ? 'start ' : ''}${call} ${place} +${bytes.length}`);
    if (open.length > 0 && prng.below(2) === 0) end(prng.pick(open));
  }
  while (open.length > 0 && prng.below(4) > 0) end(prng.pick(open));
  return { trace: builder.build(), steps };
}
