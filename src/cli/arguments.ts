/**
 * The arguments of one call of a command: options, words, and the program to run, with the few ways in which
 * commands read them. Where they come from is in `parse-arguments.ts`.
 */

import { UsageError } from '../base/errors.ts';

/** What `parseArgs` makes of one option. */
export type OptionValue = string | boolean | readonly (string | boolean)[] | undefined;

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
