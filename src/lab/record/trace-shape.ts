/**
 * Checked access to parsed JSON that nobody vouches for: each function gives a value of its type or throws
 * `WrongShape` with the name of the field.
 */

/** A value that is not what its field must be. Turned into a `TraceError` with file and line by the reader. */
export class WrongShape extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown, name: string): Fields {
  if (!isFields(value)) throw new WrongShape(`${name} is not an object`);
  return value;
}

export function arrayOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WrongShape(`${name} is not a list`);
  return value;
}

export function stringOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new WrongShape(`${name} is not a string`);
  return value;
}

/** An integer from 0 that JavaScript holds exactly. */
export function integerOf(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WrongShape(`${name} is not a whole number from 0`);
  }
  return value;
}

export function oneOf<Word extends string>(
  value: unknown,
  words: readonly Word[],
  name: string,
): Word {
  for (const word of words) if (word === value) return word;
  throw new WrongShape(`${name} is none of ${words.join(', ')}`);
}
