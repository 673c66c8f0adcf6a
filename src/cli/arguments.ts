/**
 * From words to the arguments of a command: `parseArgs` of `node:util` with our own error messages, and everything
 * after the first `--` kept apart as the program to run.
 */

import { parseArgs } from 'node:util';
import { UsageError } from '../base/errors.ts';
import type { Command } from './command.ts';

type OptionValue = string | boolean | readonly (string | boolean)[] | undefined;

/** The arguments of one call, already checked against the command's options. */
export class CommandArguments {
  /** The words that are neither options nor the program. */
  readonly positionals: readonly string[];
  /** The words after `--`: empty only where the command does not require a program. */
  readonly program: readonly string[];
  readonly #values: Readonly<Record<string, OptionValue>>;

  constructor(
    values: Readonly<Record<string, OptionValue>>,
    positionals: readonly string[],
    program: readonly string[],
  ) {
    this.#values = values;
    this.positionals = positionals;
    this.program = program;
  }

  /** Whether `--name` was given. */
  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** The value of `--name`, or undefined where it was not given. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The value of `--name`. @throws {UsageError} when it was not given, or is empty. */
  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
    return value;
  }

  /** Every value of `--name`, in the order given. */
  texts(name: string): readonly string[] {
    const value = this.#values[name];
    if (typeof value === 'string') return [value];
    if (!Array.isArray(value)) return [];
    return value.filter((one): one is string => typeof one === 'string');
  }

  /** The parts of `--name a,b` and of `--name a --name b` alike; empty where it was not given. */
  list(name: string): readonly string[] {
    return this.texts(name)
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== '');
  }

  /** `--name` as a whole number. @throws {UsageError} when it is none, or outside the limits. */
  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number) || number < min || number > max) {
      const limits =
        max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new UsageError(`--${name} takes a whole number ${limits}, not '${value}'`);
    }
    return number;
  }
}

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
}
