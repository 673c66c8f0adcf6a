/** A digest of what happened in a trace: tells whether a replay token belongs to it. */

import { createHash } from 'node:crypto';

import type { Trace } from './operation.ts';

/** SHA-256 in hex over the initial tree and all operations; contents count through their digests. */
export function traceDigest(trace: Trace): string {
  const digest = createHash('sha256');
  for (const inode of trace.initial) digest.update(`${JSON.stringify(inode)}\n`);
  for (const operation of trace.operations) digest.update(`${JSON.stringify(operation)}\n`);
  return digest.digest('hex');
}
