/** What `explore` and `check` have in common: a trace in, progress, the report out, the exit code. */

import { systemClock } from '../base/clock.ts';
import type { ExploreProgress } from '../lab/explore/explore-options.ts';
import type { LabResult } from '../lab/lab-run.ts';
import { runLab } from '../lab/lab-run.ts';
import type { Finding } from '../lab/explain/finding.ts';
import { encodeState } from '../lab/explore/crash-state.ts';
import { traceDigest } from '../lab/replay/trace-digest.ts';
import { encodeReplayToken } from '../lab/replay/replay-token.ts';
import type { Trace } from '../lab/record/operation.ts';
import {
  confirmationText,
  confirmFindings,
  type FindingToConfirm,
  type KernelAnswer,
} from '../lab/powercut/confirm-findings.ts';
import { groupFindings, type ReportedFinding } from '../lab/report/lab-report.ts';
import { jsonReport } from '../lab/report/json-report.ts';
import type { TextStyle } from '../lab/report/text-report.ts';
import { textReport } from '../lab/report/text-report.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import { budgetFrom, checkerFrom, modelsFrom } from './lab-options.ts';
import { formatTable, paletteFor, printable, ProgressLine } from './output.ts';

const EXIT_CODES: Readonly<Record<LabResult['verdict'], ExitCode>> = {
  passed: exitCodes.clean,
  found: exitCodes.found,
  incomplete: exitCodes.incomplete,
};

/** How long an interrupted run may take to say what it covered. */
const REPORT_WAIT_MS = 3000;

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
  const budget = budgetFrom(args);
  const checker = await checkerFrom(args, trace);
  const close = async (): Promise<void> => {
    await checker.close?.();
  };
  const interrupt = new AbortController();
  const digest = traceDigest(trace);
  const tokenOf = ({ model, state }: Finding): string | null =>
    tracePath === null
      ? null
      : encodeReplayToken({ traceDigest: digest, model, state: encodeState(state) });
  const replay = (finding: Finding): string | null => {
    const token = tokenOf(finding);
    return token === null ? null : `holdfast replay ${token} --trace ${tracePath}`;
  };
  const progress = new ProgressLine(context.stderr);
  const report = async (): Promise<ExitCode> => {
    const result = await runLab(trace, {
      models,
      checker,
      redundant: args.flag('redundant'),
      ...budget,
      signal: interrupt.signal,
      onProgress: progressTeller(progress),
    });
    progress.clear();
    const groups = groupFindings(result);
    const confirmed = args.flag('confirm')
      ? await confirmFindings(trace, groups.map(toConfirm), checker, {
          progress: (text) => progress.update(text),
          onRig: (takeDown) => context.onInterrupt(takeDown),
        })
      : null;
    progress.clear();
    const json = Object.assign({}, jsonReport(result, trace.command, tokenOf), { confirmed });
    context.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(json, null, 2)}\n`
        : textReport(result, { style: styleFor(context), cwd: context.cwd, replay }) +
            confirmedText(confirmed),
    );
    return EXIT_CODES[result.verdict];
  };
  const reporting = report();
  // An interrupted run still says what it covered, if the checks under way end soon.
  const undoInterrupt = context.onInterrupt(async () => {
    interrupt.abort();
    const told = reporting.catch(() => null);
    await Promise.race([told, systemClock.sleep(REPORT_WAIT_MS)]);
    progress.clear();
    await close();
  });
  try {
    return await reporting;
  } finally {
    progress.clear();
    await close();
    undoInterrupt();
  }
}

function toConfirm({ models, all }: ReportedFinding): FindingToConfirm {
  return { models, messages: all.map(({ message }) => message) };
}

/** What the kernel said of each finding, by the finding's number. */
function confirmedText(confirmed: readonly (readonly KernelAnswer[])[] | null): string {
  const lines = (confirmed ?? []).flatMap((answers, index) =>
    confirmationText(answers).map((text) => `${index + 1}. ${printable(text)}\n`),
  );
  return lines.length === 0 ? '' : `\non this kernel:\n${lines.join('')}`;
}

/** Says how far a run is, and how fast. */
function progressTeller(line: ProgressLine): (progress: ExploreProgress) => void {
  const startMs = systemClock.monotonicMs();
  let before = 0;
  let last = '';
  let earlier = 0;
  return ({ model, walked, distinct, points: [done, all] }) => {
    if (model !== last) earlier += before;
    [last, before] = [model, walked];
    const seconds = Math.max(0.001, (systemClock.monotonicMs() - startMs) / 1000);
    const rate = Math.round((earlier + walked) / seconds);
    line.update(
      `${model}: crash point ${done + 1} of ${all}, ${walked} states walked (${rate}/s), ` +
        `${distinct} distinct`,
    );
  };
}

/** How reports look on this command's standard output. */
export function styleFor(context: CommandContext): TextStyle {
  const { bold, red, green, yellow } = paletteFor(context, context.stdout);
  return { table: formatTable, bold, red, green, yellow, printable };
}
