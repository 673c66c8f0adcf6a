/**
 * A failure of background work, with what decides whether writing may go on: which call failed. It
 * crosses from a worker as plain data. Not here: what is done about it.
 */

import { CorruptionError } from '../../base/errors.ts';
import type { CorruptionDetails } from '../../base/errors.ts';
import type { FailingCall } from '../../durable/poison.ts';
import type { TwoFormSteps } from '../../durable/two-forms.ts';

/** A call of a job failed. `cause` is the operating system's error. */
export class JobFailure extends Error {
  readonly call: FailingCall;

  constructor(failed: FailingCall, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.call = failed;
  }

  override get name(): string {
    return 'JobFailure';
  }
}

/** Settles as `work` does, with the cause where a call of a job failed: what callers are told. */
export async function withoutJob<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof JobFailure ? error.cause : error;
  }
}

/** Runs steps; what they throw becomes a `JobFailure` of this call. */
export function* failing<T>(failed: FailingCall, steps: TwoFormSteps<T>): TwoFormSteps<T> {
  try {
    return yield* steps;
  } catch (error) {
    throw new JobFailure(failed, error);
  }
}

/** An error as plain data. */
export interface ErrorData {
  readonly call: FailingCall | null;
  readonly message: string;
  readonly stack: string | undefined;
  readonly corruption: CorruptionDetails | null;
  /** The fields of an error of the operating system. */
  readonly system: Readonly<Record<string, string | number>>;
}

/** What crosses from a worker. */
export function toErrorData(error: unknown): ErrorData {
  const failed = error instanceof JobFailure ? error.call : null;
  const cause = error instanceof JobFailure ? error.cause : error;
  const system: Record<string, string | number> = {};
  for (const field of ['code', 'errno', 'syscall', 'path'] as const) {
    const value = (cause as Record<string, unknown>)[field];
    if (typeof value === 'string' || typeof value === 'number') system[field] = value;
  }
  let corruption: CorruptionDetails | null = null;
  if (cause instanceof CorruptionError) {
    const { path, offset, expected, found } = cause;
    corruption = { path, offset, expected, found };
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  const stack = cause instanceof Error ? cause.stack : undefined;
  return { call: failed, message, stack, corruption, system };
}

/** The error that the data tells of. */
export function fromErrorData(data: ErrorData): Error {
  const cause =
    data.corruption === null
      ? Object.assign(new Error(data.message), data.system)
      : new CorruptionError(data.corruption);
  if (data.stack !== undefined) cause.stack = data.stack;
  return data.call === null ? cause : new JobFailure(data.call, cause);
}
