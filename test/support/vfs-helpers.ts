/** Short forms of what tests do with a vfs all the time. */

import assert from 'node:assert/strict';

import { errorCode } from '../../src/vfs/errno.ts';
import { readWholeFile, writeFully } from '../../src/vfs/transfer.ts';
import type { OpenOptions, Vfs } from '../../src/vfs/vfs.ts';

/** Text as bytes. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Makes or replaces a file with `content`. Syncs nothing. */
export async function putFile(
  vfs: Vfs,
  path: string,
  content: string | Uint8Array,
  options: OpenOptions = {},
): Promise<void> {
  const file = await vfs.open(path, { write: true, create: true, truncate: true, ...options });
  try {
    await writeFully(file, typeof content === 'string' ? utf8(content) : content, 0);
  } finally {
    await file.close();
  }
}

/** The content of a file as text. */
export async function getFile(vfs: Vfs, path: string): Promise<string> {
  return new TextDecoder().decode(await readWholeFile(vfs, path));
}

/** The names in a directory, sorted. */
export async function namesIn(vfs: Vfs, path: string): Promise<string[]> {
  return (await vfs.readDirectory(path)).map((entry) => entry.name).toSorted();
}

/** Whether an error has one of these codes: for `assert.throws` and `assert.rejects`. */
export function hasCode(...codes: readonly string[]): (error: unknown) => boolean {
  return (error) => codes.includes(errorCode(error) ?? '');
}

/** Asserts that a call rejects with one of these codes, and says which code came instead. */
export async function rejectsWith(
  call: Promise<unknown>,
  ...codes: readonly string[]
): Promise<void> {
  let outcome: string;
  try {
    await call;
    outcome = 'success';
  } catch (error) {
    // The code is what is compared; an error without one is a bug of the test or the vfs.
    outcome = errorCode(error) ?? String(error);
  }
  assert.ok(codes.includes(outcome), `expected ${codes.join(' or ')}, got ${outcome}`);
}
