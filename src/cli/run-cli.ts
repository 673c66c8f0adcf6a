/**
 * One call of `holdfast`, from its words to its exit code, in whatever world `context` is: everything of the
 * command line that can be tested without starting a process. `main.ts` adds the process.
 */

import { FileChangeError, HoldfastError, UsageError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Command, CommandContext, CommandTable } from './command.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { formatTable, printable } from './output.ts';
import { parseCommandArguments } from './parse-arguments.ts';

/** Runs the command that `words` name and returns its exit code; errors are printed, never thrown. */
export async function runCli(
  words: readonly string[],
  context: CommandContext,
  table: CommandTable,
  version: string,
): Promise<ExitCode> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    return await showHelp(name === 'help' ? rest[0] : undefined, name, context, table);
  }
  if (name === '--version' || name === '-V') {
    context.stdout.write(`${version}\n`);
    return exitCodes.clean;
  }
  const load = Object.hasOwn(table, name) ? table[name] : undefined;
  if (load === undefined) return unknownCommand(name, context);
  try {
    const command = await load();
    if (asksForHelp(rest)) {
      context.stdout.write(commandHelp(command));
      return exitCodes.clean;
    }
    return await command.run(context, parseCommandArguments(command, rest));
  } catch (error) {
    // The edge of the program: whatever went wrong becomes one line and exit code 2.
    reportError(`holdfast ${name}`, error, context);
    return exitCodes.failed;
  }
}

async function showHelp(
  about: string | undefined,
  word: string | undefined,
  context: CommandContext,
  table: CommandTable,
): Promise<ExitCode> {
  if (about !== undefined) {
    const load = Object.hasOwn(table, about) ? table[about] : undefined;
    if (load === undefined) return unknownCommand(about, context);
    context.stdout.write(commandHelp(await load()));
    return exitCodes.clean;
  }
  const commands = await Promise.all(Object.values(table).map((load) => load()));
  const text = programHelp(commands);
  if (word !== undefined) {
    context.stdout.write(text);
    return exitCodes.clean;
  }
  // No word at all is wrong use, but the answer to it is the help.
  context.stderr.write(text);
  return exitCodes.failed;
}

function programHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${command.name}`, command.summary]);
  return (
    'Usage: holdfast COMMAND [OPTION…] [-- PROGRAM…]\n\n' +
    formatTable(rows) +
    '\nholdfast COMMAND --help explains each; holdfast --version prints the version.\n' +
    'Exit codes: 0 nothing wrong, 1 something found, 2 wrong use or an error,\n' +
    '3 nothing found but the verdict is incomplete.\n'
  );
}

function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : '';
    return [`  ${short}--${name}${value}`, option.help];
  });
  const description = command.description === undefined ? '' : `\n${command.description.trim()}\n`;
  return (
    `Usage: ${`holdfast ${command.name} ${command.usage}`.trim()}\n\n${command.summary}\n` +
    `${description}\n${formatTable([...rows, ['  -h, --help', 'show this']])}`
  );
}

function asksForHelp(words: readonly string[]): boolean {
  const separator = words.indexOf('--');
  const own = separator === -1 ? words : words.slice(0, separator);
  return own.includes('--help') || own.includes('-h');
}

function unknownCommand(name: string, context: CommandContext): ExitCode {
  context.stderr.write(
    `holdfast: unknown command '${printable(name)}' (holdfast --help lists them)\n`,
  );
  return exitCodes.failed;
}

/** Prints one line, `who: what went wrong`; the stack follows only where HOLDFAST_DEBUG asks for it. */
export function reportError(who: string, error: unknown, context: CommandContext): void {
  const message = error instanceof Error ? error.message : String(error);
  // An error that nobody meant to throw is a defect of Holdfast: say so, or people look at their own program.
  const expected = error instanceof HoldfastError || isSystemError(error);
  const code = expected && !(error instanceof UsageError) ? (errorCode(error) ?? '') : '';
  // Node begins its messages with the code, which is to stand at the end.
  const text =
    code !== '' && message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  const line = printable(text.trim().replaceAll(/\s*\n\s*/g, '; '));
  const known = code === '' ? '' : ` (${code})`;
  context.stderr.write(`${who}: ${expected ? '' : 'internal error: '}${line}${known}\n`);
  if ((context.env['HOLDFAST_DEBUG'] ?? '') !== '' && error instanceof Error) {
    context.stderr.write(`${error.stack ?? ''}\n`);
    if (error.cause instanceof Error)
      context.stderr.write(`caused by ${error.cause.stack ?? ''}\n`);
  }
}

/** Whether the operating system refused something: ENOENT and its like, which carry the path. */
function isSystemError(error: unknown): boolean {
  if (error instanceof FileChangeError) return true;
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
