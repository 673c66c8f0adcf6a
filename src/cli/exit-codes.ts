/**
 * The exit codes of every command, and nothing else. They are an interface: scripts and CI jobs test them, so a
 * code never changes its meaning.
 */

/** What a command's exit code says. */
export const exitCodes = {
  /** Nothing wrong was found, and everything that was asked for was looked at. */
  clean: 0,
  /** Something was found: a violation, a loss, a damaged file. */
  found: 1,
  /** Wrong use, or an error on the way: nothing can be said about the thing examined. */
  failed: 2,
  /** Nothing was found, but something could not be modelled or the budget ended first. */
  incomplete: 3,
} as const;

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of a process ended by a signal, as shells count: 130 for SIGINT, 141 for a closed pipe. */
export function signalExitCode(signalNumber: number): number {
  return 128 + signalNumber;
}
