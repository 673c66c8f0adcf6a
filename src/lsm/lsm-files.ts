/**
 * The names of a LevelDB directory's files. A name says what a file is and its number; which of
 * them count is said by `CURRENT` and the manifest. Not here: touching them.
 *
 * @see docs/formats/directory.md
 */

/** What a file of the directory is for. */
export type LsmFileKind = 'current' | 'manifest' | 'log' | 'table' | 'temporary' | 'lock' | 'info';

/** A name that belongs to the format. `number` is 0 for names without one. */
export interface LsmFileName {
  readonly kind: LsmFileKind;
  readonly number: number;
}

/** The file that names the manifest. */
export const CURRENT_NAME = 'CURRENT';

/** `000007.log`. */
export function logName(number: number): string {
  return `${digits(number)}.log`;
}

/** `000007.ldb`. */
export function tableName(number: number): string {
  return `${digits(number)}.ldb`;
}

/** `000007.sst`: what LevelDB called its tables before 1.14. */
export function oldTableName(number: number): string {
  return `${digits(number)}.sst`;
}

/** `MANIFEST-000007`. */
export function manifestName(number: number): string {
  return `MANIFEST-${digits(number)}`;
}

const NUMBERED: readonly (readonly [RegExp, LsmFileKind])[] = [
  [/^MANIFEST-(\d{1,16})$/, 'manifest'],
  [/^(\d{1,16})\.log$/, 'log'],
  [/^(\d{1,16})\.(?:ldb|sst)$/, 'table'],
  [/^(\d{1,16})\.dbtmp$/, 'temporary'],
];

const NAMED: Readonly<Record<string, LsmFileKind>> = {
  [CURRENT_NAME]: 'current',
  LOCK: 'lock',
  LOG: 'info',
  'LOG.old': 'info',
};

/** What a name of the directory means; null when it is not of the format. */
export function parseFileName(name: string): LsmFileName | null {
  for (const [pattern, kind] of NUMBERED) {
    const number = Number(pattern.exec(name)?.[1] ?? Number.NaN);
    if (Number.isSafeInteger(number)) return { kind, number };
  }
  const kind = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  return kind === undefined ? null : { kind, number: 0 };
}

function digits(number: number): string {
  return String(number).padStart(6, '0');
}
