/** Who judges the trees of `holdfast powercut`: a command of the user's, or an oracle that a rehearsal has taught. */

import { UsageError } from '../base/errors.ts';
import type { Checker } from '../lab/check/checker.ts';
import { ProcessChecker } from '../lab/check/process-checker.ts';
import { validateChecker } from '../lab/check/validate-checker.ts';
import { marksAt } from '../lab/explore/marks-at.ts';
import type { PowercutOptions } from '../lab/powercut/examine-powercut.ts';
import { MarkCounter, rehearse } from '../lab/powercut/rehearsal.ts';
import type { RigOptions } from '../lab/powercut/rig.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { checkerFrom, recorderNamed, timeLimitFrom } from './lab-options.ts';

/** How trees are judged, and how the judge is tried on the undamaged ones of each run. */
export interface PowercutJudge {
  readonly checker: Checker;
  readonly validate: NonNullable<PowercutOptions['validate']>;
}

/** @throws {UsageError} when the options or the rehearsal are wrong. */
export async function powercutJudge(
  context: CommandContext,
  args: CommandArguments,
  rig: RigOptions,
): Promise<PowercutJudge> {
  const command = args.text('check');
  return command === undefined
    ? await oracleJudge(context, args, rig)
    : commandJudge(command, timeLimitFrom(args));
}

function commandJudge(command: string, timeLimitMs: number): PowercutJudge {
  const checker = new ProcessChecker({ command, timeLimitMs });
  let tried = false;
  return {
    checker,
    async validate(first, last, { marks }) {
      if (tried) return;
      const said = marks.map(({ mark }) => mark);
      await validateChecker(checker, { root: first, marks: [] }, { root: last, marks: said });
      tried = true;
    },
  };
}

async function oracleJudge(
  context: CommandContext,
  args: CommandArguments,
  rig: RigOptions,
): Promise<PowercutJudge> {
  const interrupt = new AbortController();
  const via = args.text('via');
  const rehearsing = rehearse({
    ...rig,
    program: args.program,
    signal: interrupt.signal,
    ...(via === undefined ? {} : { via: recorderNamed(via) }),
  });
  const undo = context.onInterrupt(async () => {
    interrupt.abort();
    // What is wrong then is that the user interrupted it; only its clean-up is waited for.
    await rehearsing.catch(() => undefined);
  });
  const trace = await rehearsing.finally(undo);
  const oracle = await checkerFrom(args, trace);
  const counter = new MarkCounter(marksAt(trace, Infinity));
  const checker: Checker = {
    name: oracle.name,
    check: ({ root, marks }) => oracle.check({ root, marks: counter.upTo(marks) }),
    close: async () => await oracle.close?.(),
    ...(oracle.concurrency === undefined ? {} : { concurrency: oracle.concurrency }),
  };
  return {
    checker,
    async validate(_first, last, { marks }) {
      const said = marks.map(({ mark }) => mark);
      counter.requireSame(said);
      const verdict = await checker.check({ root: last, marks: said });
      if (verdict.ok) return;
      throw new UsageError(
        `the program does not leave what it left when it was recorded (${verdict.message}): ` +
          'the built-in oracles cannot judge it; give --check',
      );
    },
  };
}
