/**
 * Who holds a lock, as it stands in the lock file: one line of JSON for people and programs, and
 * its checksum on the next. Not here: whether the owner lives (`lock-judge`), and the order of
 * taking (`lock-file`).
 */

import { createHash } from 'node:crypto';

/** The thread, process, namespace, boot and host that made a lock file. Unknown parts are empty. */
export interface LockOwner {
  readonly processId: number;
  /** When the process started, in the system's own unit. */
  readonly processStart: string;
  /** Node's number of the thread; 0 is the main thread. */
  readonly threadId: number;
  /** The operating system's number of the thread, and when that started. */
  readonly systemThreadId: string;
  readonly systemThreadStart: string;
  /** The boot of the machine. */
  readonly boot: string;
  /** Inside which process numbers, and start times, mean the same. */
  readonly namespace: string;
  readonly host: string;
  /** Equal for different boots of one machine. */
  readonly machine: string;
  /** Different for every lock ever taken. */
  readonly nonce: string;
}

const FORMAT = 1;
const CHECKSUM_DIGITS = 16;

const TEXT_FIELDS = [
  'processStart',
  'systemThreadId',
  'systemThreadStart',
  'boot',
  'namespace',
  'host',
  'machine',
  'nonce',
] as const;

/** The content of a lock file. */
export function encodeLockOwner(owner: LockOwner): Uint8Array {
  const line = JSON.stringify({ format: FORMAT, ...owner });
  return Buffer.from(`${line}\n${checksum(line)}\n`);
}

/**
 * The owner in the content of a lock file; null when it is not complete, as after a crash or while
 * it is being written. A format that is newer than this program gives an owner of whom nothing can
 * be known.
 */
export function decodeLockOwner(content: Uint8Array): LockOwner | null {
  const [line = '', sum] = Buffer.from(content).toString().split('\n');
  if (sum !== checksum(line)) return null;
  const fields = JSON.parse(line) as Record<string, unknown>;
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  const number = (name: string): number => {
    const value = fields[name];
    return typeof value === 'number' ? value : 0;
  };
  const known = fields['format'] === FORMAT;
  const texts = TEXT_FIELDS.map((name) => [name, known || name === 'nonce' ? text(name) : '']);
  return {
    ...(Object.fromEntries(texts) as Record<(typeof TEXT_FIELDS)[number], string>),
    processId: number('processId'),
    threadId: number('threadId'),
  };
}

/** For a message: enough to find the owner. */
export function describeLockOwner(owner: LockOwner): string {
  const thread = owner.threadId === 0 ? '' : `, thread ${owner.threadId}`;
  const host = owner.host === '' ? '' : ` on host '${owner.host}'`;
  return `process ${owner.processId}${thread}${host}`;
}

function checksum(line: string): string {
  return createHash('sha256').update(line).digest('hex').slice(0, CHECKSUM_DIGITS);
}
