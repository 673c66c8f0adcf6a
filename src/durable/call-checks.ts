/** Arguments of the public calls, checked: wrong ones are a `TypeError` before anything happens. */

import { isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * An absolute path. A relative one means what it means now, also when the call has to wait and the
 * directory is changed. It is not shortened except on Windows: `link/../file` is beside the link's
 * target.
 */
export function checkPath(path: string | URL): string {
  const text: unknown = path instanceof URL ? fileURLToPath(path) : path;
  if (typeof text !== 'string')
    throw new TypeError(`path must be text or a URL, not ${kind(path)}`);
  if (text.includes('\0')) throw new TypeError('path must not contain a NUL character');
  if (text === '' || isAbsolute(text)) return text;
  return sep === '/' ? `${process.cwd()}/${text}` : resolve(text);
}

/** Permission bits from a number or octal text; undefined where nothing is said. */
export function checkMode(mode: number | string | null | undefined): number | undefined {
  if (mode === undefined || mode === null) return undefined;
  const bits = typeof mode === 'string' && /^(0o)?[0-7]+$/.test(mode) ? octal(mode) : mode;
  if (typeof bits !== 'number' || !Number.isInteger(bits) || bits < 0) {
    throw new TypeError(
      `mode must be permission bits, as a number or octal text, not ${String(mode)}`,
    );
  }
  return bits & 0o7777;
}

/** What to call a value that is none of those allowed. */
export function kind(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function octal(text: string): number {
  return Number.parseInt(text.replace(/^0o/, ''), 8);
}
