/**
 * How a recording reaches the processes it records: environment variables that children inherit, among them the
 * option that makes every Node load the recorder first.
 */

import { fileURLToPath } from 'node:url';

/** Directory of the logs; present in every process of a recording. */
export const SESSION_DIRECTORY_VARIABLE = 'HOLDFAST_RECORDING';
/** The recorded root; also for whoever starts `node --import holdfast/lab/register` by hand. */
export const ROOT_VARIABLE = 'HOLDFAST_ROOT';
/** The trace to write, for whoever starts `node --import holdfast/lab/register` by hand. */
export const TRACE_VARIABLE = 'HOLDFAST_TRACE';
/** Nanoseconds of the monotonic clock at the beginning. */
export const CLOCK_VARIABLE = 'HOLDFAST_RECORDING_CLOCK';
/** Identity of the first process's standard output, set by that process. */
export const STDOUT_VARIABLE = 'HOLDFAST_RECORDING_STDOUT';

export interface SessionSettings {
  readonly directory: string;
  readonly root: string;
  readonly clockBase: bigint;
}

/**
 * `--require`, which takes ES modules since Node 20.19, and not `--import`: only the former is loaded in workers
 * that evaluate a string. Quoted as NODE_OPTIONS wants it.
 */
const REGISTER_OPTION: string = `--require="${fileURLToPath(
  new URL('./register.js', import.meta.url),
).replaceAll(/["\\]/g, String.raw`\$&`)}"`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of the recording that this process belongs to, or null. */
export function settingsIn(environment: Environment): SessionSettings | null {
  const directory = environment[SESSION_DIRECTORY_VARIABLE];
  const root = environment[ROOT_VARIABLE];
  const clock = environment[CLOCK_VARIABLE];
  if (directory === undefined || root === undefined || clock === undefined) return null;
  return { directory, root, clockBase: BigInt(clock) };
}

/** What a process of the recording must have in its environment. */
export function sessionVariables(
  settings: SessionSettings,
  nodeOptions: string | undefined,
): Record<string, string> {
  return {
    [SESSION_DIRECTORY_VARIABLE]: settings.directory,
    [ROOT_VARIABLE]: settings.root,
    [CLOCK_VARIABLE]: String(settings.clockBase),
    NODE_OPTIONS: withRegister(nodeOptions ?? ''),
  };
}

function withRegister(nodeOptions: string): string {
  if (nodeOptions.includes(REGISTER_OPTION)) return nodeOptions;
  return `${nodeOptions} ${REGISTER_OPTION}`.trim();
}

/** Adds to `NAME=value` pairs what is missing there: a program may give its children an environment of its own. */
export function withSessionPairs(
  pairs: readonly string[],
  settings: SessionSettings,
  stdout: string | undefined,
): string[] {
  const given = new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const wanted = sessionVariables(settings, given.get('NODE_OPTIONS'));
  if (stdout !== undefined) wanted[STDOUT_VARIABLE] = stdout;
  const others = pairs.filter((pair) => !(pair.slice(0, pair.indexOf('=')) in wanted));
  return [...others, ...Object.entries(wanted).map(([name, value]) => `${name}=${value}`)];
}
