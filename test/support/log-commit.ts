/**
 * Commits of a test log, each known by a label that says what it holds, so that a reader of a crashed disk can tell
 * every byte of it: `a:3x10` is a batch of three operations of ten bytes, `b:1x0` one operation alone, and
 * `c:upto4` a checkpoint. Kinds of operations take turns. The values of `d:2x500w` are pieces of a log.
 */

import type { LogOperation } from '../../src/wal/batch-format.ts';
import type { WalEntry } from '../../src/wal/wal-entry.ts';
import { putWatermark, WATERMARK_BYTES } from '../../src/wal/watermark.ts';

const SHAPE = /^([^:]+):(?:(\d+)x(\d+)(w?)|upto(\d+))$/;

/** What the commit of this label holds. REQUIRES: it is no checkpoint. */
export function operationsOf(label: string): LogOperation[] {
  const [, name = '', count = '', size = '', kind = ''] = SHAPE.exec(label) ?? [];
  const turn = name.codePointAt(name.length - 1) ?? 0;
  return Array.from({ length: Number(count) }, (_, index): LogOperation => {
    const key = latin1(`${label}|${index}`);
    const value = kind === 'w' ? watermarks(Number(size)) : filler(Number(size), turn + index);
    switch ((turn + index) % 3) {
      case 0:
        return { kind: 'put', key, value };
      case 1:
        return { kind: 'bytes', bytes: Buffer.concat([key, latin1(' '), value]) };
      default:
        return { kind: 'delete', key };
    }
  });
}

/** The label of what was found. @throws Error that begins with P3 or P4 when it is no commit of a test */
export function labelOf(entry: WalEntry): string {
  if (entry.kind === 'checkpoint') {
    const label = text(entry.bytes);
    if (SHAPE.exec(label)?.[5] === String(entry.upTo)) return label;
    throw new Error(`P4: a checkpoint '${label}' of ${entry.upTo}`);
  }
  const operations = entry.kind === 'batch' ? entry.operations : [entry];
  const [first] = operations;
  const label = first === undefined ? '' : (/^[^|]*/.exec(text(bytesOf(first)))?.[0] ?? '');
  const wanted = SHAPE.test(label) ? operationsOf(label) : [];
  if (wanted.length !== operations.length) {
    throw new Error(`P3: '${label}' shows ${operations.length} of its ${wanted.length} operations`);
  }
  wanted.forEach((operation, index) => {
    const found = operations[index];
    if (found !== undefined && sameOperation(operation, found)) return;
    throw new Error(`P4: operation ${index} of '${label}' is not what was written`);
  });
  return label;
}

/** How many sequence numbers the commit takes. */
export function countOf(label: string): number {
  return Number(SHAPE.exec(label)?.[2] ?? '1');
}

function sameOperation(a: LogOperation, b: LogOperation): boolean {
  if (a.kind !== b.kind || Buffer.compare(bytesOf(a), bytesOf(b)) !== 0) return false;
  return a.kind !== 'put' || b.kind !== 'put' || Buffer.compare(a.value, b.value) === 0;
}

function bytesOf(operation: LogOperation): Uint8Array {
  return operation.kind === 'bytes' ? operation.bytes : operation.key;
}

function filler(length: number, turn: number): Uint8Array {
  return new Uint8Array(length).fill(0x61 + (turn % 26));
}

/** One watermark behind the other, each of a number that the log may well have reached. */
function watermarks(length: number): Uint8Array {
  const bytes = new Uint8Array(length + WATERMARK_BYTES);
  for (let place = 0, next = 4; place < length; place += WATERMARK_BYTES, next++) {
    putWatermark(bytes, place, 0, next);
  }
  return bytes.subarray(0, length);
}

function latin1(characters: string): Uint8Array {
  return Buffer.from(characters, 'latin1');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
