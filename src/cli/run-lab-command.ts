/** What `explore` and `check` have in common: a trace in, progress, the report out, the exit code. */

import type { LabResult } from '../lab/lab-run.ts';
import { runLab } from '../lab/lab-run.ts';
import type { Finding } from '../lab/explain/finding.ts';
import { encodeState } from '../lab/explore/crash-state.ts';
import { traceDigest } from '../lab/replay/trace-digest.ts';
import { encodeReplayToken } from '../lab/replay/replay-token.ts';
import type { Trace } from '../lab/record/operation.ts';
import { jsonReport } from '../lab/report/json-report.ts';
import type { TextStyle } from '../lab/report/text-report.ts';
import { textReport } from '../lab/report/text-report.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import { checkerFrom, modelsFrom } from './lab-options.ts';
import { formatTable, paletteFor, printable, ProgressLine } from './output.ts';

const EXIT_CODES: Readonly<Record<LabResult['verdict'], ExitCode>> = {
  passed: exitCodes.clean,
  found: exitCodes.found,
  incomplete: exitCodes.incomplete,
};

/**
 * Explores the trace as the options say, prints the report, and returns what it is worth. With the file that
 * holds the trace, the report says how to see each finding's disk again.
 */
export async function runLabCommand(
  context: CommandContext,
  args: CommandArguments,
  trace: Trace,
  tracePath: string | null,
): Promise<ExitCode> {
  const models = modelsFrom(args);
  const disksMax = args.integer('budget', 1);
  const checker = await checkerFrom(args, trace);
  const close = async (): Promise<void> => {
    await checker.close?.();
  };
  const undoInterrupt = context.onInterrupt(close);
  const digest = traceDigest(trace);
  const replay = ({ model, state }: Finding): string | null => {
    if (tracePath === null) return null;
    const token = encodeReplayToken({ traceDigest: digest, model, state: encodeState(state) });
    return `holdfast replay ${token} --trace ${tracePath}`;
  };
  const progress = new ProgressLine(context.stderr);
  try {
    const result = await runLab(trace, {
      models,
      checker,
      redundant: args.flag('redundant'),
      ...(disksMax === undefined ? {} : { disksMax }),
      onProgress: ({ model, walked, distinct }) => {
        progress.update(`${model}: ${walked} states walked, ${distinct} distinct disks`);
      },
    });
    progress.clear();
    context.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(jsonReport(result, trace.command), null, 2)}\n`
        : textReport(result, { style: styleFor(context), cwd: context.cwd, replay }),
    );
    return EXIT_CODES[result.verdict];
  } finally {
    progress.clear();
    await close();
    undoInterrupt();
  }
}

/** How reports look on this command's standard output. */
export function styleFor(context: CommandContext): TextStyle {
  const { bold, red, green, yellow } = paletteFor(context, context.stdout);
  return { table: formatTable, bold, red, green, yellow, printable };
}
