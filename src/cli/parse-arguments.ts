/**
 * From words to the arguments of a command: `parseArgs` of `node:util` with our own error messages, and everything
 * after the first `--` kept apart as the program to run.
 */

import { parseArgs } from 'node:util';
import { UsageError } from '../base/errors.ts';
import { CommandArguments, type OptionValue } from './arguments.ts';
import type { Command } from './command.ts';

/**
 * Checks `words` against what `command` takes.
 *
 * @throws {UsageError} naming the word that is wrong or missing.
 */
export function parseCommandArguments(
  command: Command,
  words: readonly string[],
): CommandArguments {
  const separator = words.indexOf('--');
  const own = separator === -1 ? words : words.slice(0, separator);
  const program = separator === -1 ? [] : words.slice(separator + 1);
  checkProgram(command, program, separator !== -1);
  const { values, positionals } = parseOwnWords(command, own);
  checkPositionals(command, positionals);
  return new CommandArguments(values, positionals, program);
}

function parseOwnWords(
  command: Command,
  words: readonly string[],
): { values: Readonly<Record<string, OptionValue>>; positionals: readonly string[] } {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, multiple = false }]) => [
      name,
      short === undefined ? { type, multiple } : { type, multiple, short },
    ]),
  );
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: true });
  } catch (error) {
    // parseArgs throws TypeErrors whose first sentence names the word; the rest is advice we do not follow.
    const message = error instanceof Error ? error.message : String(error);
    const ambiguous = /^Option '([^' ,<]+).* argument is ambiguous/.exec(message)?.[1];
    if (ambiguous !== undefined) {
      const text = `${ambiguous} is followed by a word that looks like an option; if it is the value, write ${ambiguous}${ambiguous.startsWith('--') ? '=' : ''}VALUE`;
      throw new UsageError(text, { cause: error });
    }
    const sentence = message.split(/\. |\n/)[0] ?? message;
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1), { cause: error });
  }
}

function checkProgram(command: Command, program: readonly string[], separated: boolean): void {
  const use = command.program ?? 'none';
  if (use === 'none' && separated) throw new UsageError('takes no program after --');
  if (use === 'required' && program.length === 0) {
    throw new UsageError('the program to run is missing: put it after --');
  }
  if (separated && program.length === 0) throw new UsageError('there is no program after --');
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  const extra = positionals[max];
  if (extra !== undefined) {
    const hint = (command.program ?? 'none') === 'none' ? '' : ' (a program to run comes after --)';
    throw new UsageError(`unexpected argument '${extra}'${hint}`);
  }
  if (positionals.length < min) {
    throw new UsageError(`an argument is missing: holdfast ${command.name} ${command.usage}`);
  }
  // Mostly a shell variable that is not set: it must not mean the working directory.
  if (positionals.includes('')) throw new UsageError('an argument is empty: give a path');
}
