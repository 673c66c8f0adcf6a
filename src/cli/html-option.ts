/** `--html FILE`: the page of a report, written so that a crash leaves the old file or the whole new one. */

import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { UsageError } from '../base/errors.ts';
import { writeFile } from '../durable/atomic-write-file.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandContext, CommandOption } from './command.ts';

export const HTML_OPTION: Readonly<Record<string, CommandOption>> = {
  html: { type: 'string', value: 'FILE', help: 'also write the report as a page, in one file' },
};

/** @throws UsageError */
export function requireHtmlOption(args: CommandArguments): void {
  if (args.text('html') === '') throw new UsageError('--html is empty: it takes a file name');
}

/**
 * Before work that may take an hour: whether its page has a place.
 * @throws UsageError when the directory of the page is not there or cannot be written to
 */
export function requireHtmlPlace({ cwd }: CommandContext, args: CommandArguments): void {
  const name = args.text('html');
  if (name === undefined) return;
  const file = resolve(cwd, name);
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (cause) {
    // Whatever the reason, the user named a place that cannot be written to.
    if (!isSystemError(cause)) throw cause;
    throw new UsageError(`${file} cannot be written: ${cause.message}`, { cause });
  }
}

/**
 * Writes the page that `make` gives, if one was asked for. On return it is durable.
 * @throws UsageError when it cannot be written
 */
export async function writeHtml(
  { cwd }: CommandContext,
  args: CommandArguments,
  make: () => string,
): Promise<void> {
  const name = args.text('html');
  if (name === undefined) return;
  const file = resolve(cwd, name);
  try {
    await writeFile(file, make());
  } catch (cause) {
    // Whatever the reason, the user named a place that cannot be written to.
    if (!isSystemError(cause)) throw cause;
    throw new UsageError(`${file} cannot be written: ${cause.message}`, { cause });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
