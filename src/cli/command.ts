/**
 * The contract of a command: what it is called, what it takes, what it is given. A command turns arguments into
 * calls of the library and results into text; it holds no logic that a program could want without it.
 */

import type { CommandArguments } from './arguments.ts';
import type { ExitCode } from './exit-codes.ts';

/** One option, in the words of `parseArgs` of `node:util`, with what `--help` says about it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** One letter, without the dash. */
  readonly short?: string;
  /** The option may be given several times. */
  readonly multiple?: boolean;
  /** The name of its value in the help, for example `DIR`. Only for `type: 'string'`. */
  readonly value?: string;
  /** One line for `--help`. */
  readonly help: string;
}

/** Whether a command takes a program to run, the words after `--`. */
export type ProgramUse = 'none' | 'optional' | 'required';

/** Where text goes. `isTTY` says whether a person is likely to look at it as it comes. */
export interface TextOutput {
  readonly isTTY: boolean;
  /** Width of the terminal in characters; absent when it is none. */
  readonly columns?: number;
  write(text: string): void;
}

/** Undoes something outside the process: unmounts, ends a child, removes a temporary directory. */
export type CleanupHook = () => void | Promise<void>;

/** All that a command may know of the world around it, so that tests can give it another one. */
export interface CommandContext {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. Paths that the user gives are relative to it. */
  readonly cwd: string;
  /**
   * Asks for `hook` to run if the command is interrupted (SIGINT, SIGTERM, SIGHUP, closed standard output) or ends
   * while the hook still stands; the last one asked for runs first. Call what is returned once the thing is
   * undone in the ordinary way.
   */
  onInterrupt(hook: CleanupHook): () => void;
}

/** One command of `holdfast`. */
export interface Command {
  readonly name: string;
  /** One line, shown in the list of commands. */
  readonly summary: string;
  /** What follows `holdfast NAME` in the usage line, for example `[DIR] [--measure]`. */
  readonly usage: string;
  /** More for `--help`: a few lines of plain text. */
  readonly description?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** How many words beside options it takes; default none. */
  readonly positionals?: { readonly min: number; readonly max: number };
  /** Default `'none'`. */
  readonly program?: ProgramUse;
  /**
   * Does the work. Errors are thrown, never printed here: a `HoldfastError` (`UsageError` and the like) or an
   * error of the operating system becomes one line on standard error and exit code 2.
   */
  run(context: CommandContext, args: CommandArguments): Promise<ExitCode>;
}

/** Commands by name, loaded only when asked for, so that `holdfast doctor` never loads the laboratory. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;
