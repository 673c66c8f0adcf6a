/**
 * `npm run bench:checksum`: the checksum of the formats in WebAssembly, with the copy of the bytes
 * that it needs, beside the same steps in JavaScript. Time of a processor, medians of rounds in turn.
 */

import process from 'node:process';

import { crc32c, extendInScript } from '../src/base/crc32c.ts';
import { median } from './rounds.ts';

const LENGTHS = [512, 4096, 32_768, 262_144];
const ROUNDS = 9;
const BYTES_A_ROUND = 40_000_000;
const BYTES = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31 + (at >> 7)) & 0xff);

/** Nanoseconds that a call takes, on bytes that lie elsewhere each time. */
function measured(checksum: (start: number, end: number) => number, length: number): number {
  const calls = Math.floor(BYTES_A_ROUND / length);
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) {
    const start = (call * 37) % (BYTES.length - length);
    checksum(start, start + length);
  }
  return (process.cpuUsage(before).user * 1000) / calls;
}

const assembly = (start: number, end: number): number => crc32c(BYTES, start, end);
const script = (start: number, end: number): number => extendInScript(0, BYTES, start, end);
for (const length of LENGTHS) {
  const [fast, slow]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    fast.push(measured(assembly, length));
    slow.push(measured(script, length));
  }
  const [a, b] = [median(fast), median(slow)];
  process.stdout.write(
    `${length} bytes: WebAssembly ${a.toFixed(0)} ns, JavaScript ${b.toFixed(0)} ns: ${(b / a).toFixed(2)} times as fast\n`,
  );
}
