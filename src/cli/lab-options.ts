/** The options that all commands of the laboratory share, and what they mean. */

import { availableParallelism } from 'node:os';

import { UsageError } from '../base/errors.ts';
import type { Checker } from '../lab/check/checker.ts';
import { OldOrNewOracle } from '../lab/check/old-or-new-oracle.ts';
import { ProcessChecker } from '../lab/check/process-checker.ts';
import { ProcessDumper } from '../lab/check/process-dump.ts';
import { RebuiltChecker, RebuiltFiles } from '../lab/check/rebuilt-files.ts';
import { RobustnessOracle, validateDumper } from '../lab/check/robustness-oracle.ts';
import { validateChecker } from '../lab/check/validate-checker.ts';
import { ContentStore } from '../lab/explore/content-store.ts';
import { walkDisks } from '../lab/explore/disk-walk.ts';
import { marksAt } from '../lab/explore/marks-at.ts';
import type { CrashModel } from '../lab/model/crash-model.ts';
import { DEFAULT_MODELS, modelByName } from '../lab/model/model-list.ts';
import type { Trace } from '../lab/record/operation.ts';
import { inOrderTree } from '../lab/replay/in-order-tree.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandOption } from './command.ts';
import { HTML_OPTION, requireHtmlOption } from './html-option.ts';

/** More processes or threads than this are a slip of the hand. */
const JOBS_MAX = 1024;

/** `--check`, `--dump`, `--time-limit`: how a disk is judged. */
export const CHECK_OPTIONS: Readonly<Record<string, CommandOption>> = {
  check: {
    type: 'string',
    value: 'CMD',
    help: 'judges each disk: runs in it, 0 passes; $HOLDFAST_ACKS: what was printed (default: old-or-new)',
  },
  dump: {
    type: 'string',
    value: 'CMD',
    help: 'prints what recovery sees; output that no crash in order could give is a finding',
  },
  'time-limit': { type: 'string', value: 'SECONDS', help: 'for one run of CMD (default 30)' },
};

/** `--rebuilt`: files whose content a crash may leave in any state. */
const REBUILT_OPTION: Readonly<Record<string, CommandOption>> = {
  rebuilt: {
    type: 'string',
    multiple: true,
    value: 'GLOB',
    help: 'files that the program rebuilds (SQLite: *-shm): tried absent, as zeros and as garbage',
  },
};

/** `--model`, `--budget`, `--json` on top of `CHECK_OPTIONS`. */
export const LAB_OPTIONS: Readonly<Record<string, CommandOption>> = {
  model: {
    type: 'string',
    multiple: true,
    value: 'M[,M…]',
    help: `crash models (default ${DEFAULT_MODELS.join(',')}; see holdfast models)`,
  },
  ...CHECK_OPTIONS,
  ...REBUILT_OPTION,
  budget: {
    type: 'string',
    value: 'N|Ns',
    help: 'ends the walk after N distinct disks per model, or N seconds (default 300s)',
  },
  resume: {
    type: 'string',
    value: 'FILE',
    help: 'keeps in FILE how far the run came, and goes on from there the next time',
  },
  jobs: {
    type: 'string',
    value: 'N',
    help: 'models, or runs of CMD, at the same time (default: as many as cores)',
  },
  seed: { type: 'string', value: 'N', help: 'what samples are drawn with (default 1)' },
  redundant: { type: 'boolean', help: 'when nothing fails: which syncs protect nothing here' },
  confirm: { type: 'boolean', help: 'take each finding to the real kernel (Linux, as root)' },
  json: { type: 'boolean', help: 'print the result as JSON (see docs/formats/report.md)' },
  sarif: { type: 'boolean', help: 'print the findings as SARIF 2.1.0' },
  ...HTML_OPTION,
};

/** What `--budget` allows: disks for each model, or seconds for all of them. @throws UsageError */
export function budgetFrom(args: CommandArguments): { disksMax?: number; secondsMax?: number } {
  const text = args.text('budget');
  if (text === undefined) return {};
  const [, digits = '', unit = ''] = /^(\d{1,15})(s?)$/.exec(text) ?? [];
  const amount = Number(digits);
  if (amount < 1) {
    throw new UsageError(`--budget takes a number of disks or of seconds ("60s"), not '${text}'`);
  }
  return unit === 's' ? { secondsMax: amount } : { disksMax: amount };
}

/** How much goes on at the same time; the result is the same for any number. @throws UsageError */
export function jobsFrom(args: CommandArguments): number {
  return args.integer('jobs', 1, JOBS_MAX) ?? availableParallelism();
}

/** @throws UsageError */
export function seedFrom(args: CommandArguments): number {
  return args.integer('seed', 0, 0xffffffff) ?? 1;
}

/** Looks at everything that can be wrong before a program runs. @throws UsageError */
export function requireLabOptions(args: CommandArguments): void {
  modelsFrom(args);
  budgetFrom(args);
  timeLimitFrom(args);
  jobsFrom(args);
  seedFrom(args);
  requireHtmlOption(args);
  if (args.flag('json') && args.flag('sarif')) {
    throw new UsageError('--json and --sarif exclude each other');
  }
  if (args.text('resume') === '') throw new UsageError('--resume is empty: it takes a file name');
  const check = args.text('check');
  const dump = args.text('dump');
  if (check !== undefined && dump !== undefined) {
    throw new UsageError('--check and --dump exclude each other');
  }
  if (rebuiltFrom(args) !== null && check === undefined && dump === undefined) {
    throw new UsageError(
      '--rebuilt needs --check or --dump: the built-in check knows no file that is rebuilt',
    );
  }
  if (check !== undefined) required('check', check);
  if (dump !== undefined) required('dump', dump);
}

/** The files of `--rebuilt`; null when there are none. @throws UsageError */
export function rebuiltFrom(args: CommandArguments): RebuiltFiles | null {
  const patterns = args.texts('rebuilt');
  return patterns.length === 0 ? null : new RebuiltFiles(patterns);
}

/** In milliseconds. */
export function timeLimitFrom(args: CommandArguments): number {
  return (args.integer('time-limit', 1, 86_400) ?? 30) * 1000;
}

/** What `--via` names. @throws UsageError */
export function recorderNamed(via: string): 'node' | 'strace' {
  if (via === 'node' || via === 'strace') return via;
  throw new UsageError(`--via takes node or strace, not '${via}'`);
}

/** @throws UsageError for an unknown model. */
export function modelsFrom(args: CommandArguments): CrashModel[] {
  const names = args.list('model');
  if (names.length === 0 && args.texts('model').length > 0) {
    throw new UsageError('--model is empty: see holdfast models');
  }
  return [...new Set(names.length === 0 ? DEFAULT_MODELS : names)].map(modelByName);
}

/**
 * The checker that the options ask for, tried on the undamaged disks.
 * @throws UsageError when it is missing, fails or hangs there.
 */
export async function checkerFrom(args: CommandArguments, trace: Trace): Promise<Checker> {
  const rebuilt = rebuiltFrom(args);
  const checker = await plainCheckerFrom(args, trace);
  return rebuilt === null ? checker : new RebuiltChecker(checker, rebuilt);
}

async function plainCheckerFrom(args: CommandArguments, trace: Trace): Promise<Checker> {
  requireLabOptions(args);
  const check = args.text('check');
  const dump = args.text('dump');
  const timeLimitMs = timeLimitFrom(args);
  const jobs = jobsFrom(args);
  const first = { root: inOrderTree(trace, 0), marks: [] };
  const last = { root: inOrderTree(trace), marks: marksAt(trace, Infinity) };
  if (dump !== undefined) {
    const dumper = new ProcessDumper({
      command: required('dump', dump),
      timeLimitMs,
      concurrency: jobs,
    });
    await validateDumper(dumper, first, last);
    const inOrderDisks = walkDisks(trace, modelByName('prefix'), new ContentStore());
    return new RobustnessOracle({ dumper, inOrderDisks });
  }
  if (check === undefined) return new OldOrNewOracle(trace);
  const checker = new ProcessChecker({
    command: required('check', check),
    timeLimitMs,
    concurrency: jobs,
  });
  await validateChecker(checker, first, last);
  return checker;
}

function required(option: string, command: string): string {
  if (command.trim() === '') throw new UsageError(`--${option} is empty: it takes a command`);
  return command;
}
