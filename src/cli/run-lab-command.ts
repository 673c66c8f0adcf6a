/** What `explore` and `check` have in common: a trace in, progress, the report out, the exit code. */

import { systemClock } from '../base/clock.ts';
import type { Checker } from '../lab/check/checker.ts';
import type { LabResult, LabRunOptions } from '../lab/lab-run.ts';
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
import { labPage } from '../lab/report/html/lab-page.ts';
import { jsonReport } from '../lab/report/json-report.ts';
import { sarifReport } from '../lab/report/sarif-report.ts';
import type { TextStyle } from '../lab/report/text-report.ts';
import { textReport } from '../lab/report/text-report.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import {
  budgetFrom,
  checkerFrom,
  jobsFrom,
  modelsFrom,
  rebuiltFrom,
  seedFrom,
} from './lab-options.ts';
import { writeHtml } from './html-option.ts';
import { progressTeller } from './lab-progress.ts';
import { formatTable, paletteFor, printable, ProgressLine } from './output.ts';
import { packageVersion } from './package-version.ts';
import { ResumeFile } from './resume-file.ts';
import { sourceLines } from './source-lines.ts';
import type { ExploredSubject } from '../lab/explored-trace.ts';

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
  const seed = seedFrom(args);
  const digest = traceDigest(trace);
  const checker = await checkerFrom(args, trace);
  const subject = { traceDigest: digest, checker: checker.name, seed };
  const resume = resumeFrom(args, context.cwd, subject);
  const close = async (): Promise<void> => await checker.close?.();
  const interrupt = new AbortController();
  const tokenOf = tokenMaker(digest, tracePath);
  const judge = judgeOption(args);
  const replay = (finding: Finding): string | null => {
    const token = tokenOf(finding);
    return token === null ? null : `holdfast replay ${token} --trace ${tracePath}${judge}`;
  };
  const progress = new ProgressLine(context.stderr);
  const report = async (): Promise<ExitCode> => {
    const result = await runLab(trace, {
      ...settingsFrom(args),
      models,
      checker,
      from: resume?.read(models) ?? null,
      keep: resume !== null,
      signal: interrupt.signal,
      onProgress: progressTeller(progress, models.length),
    });
    progress.clear();
    await resume?.write(result);
    const confirmed = await confirmedBy(context, args, { trace, result, checker, progress });
    progress.clear();
    const { cwd } = context;
    await writeHtml(context, args, () =>
      labPage({ result, trace, cwd, readLines: sourceLines(), replay }),
    );
    printReport(context, args, {
      json: () => Object.assign({}, jsonReport(result, trace.command, tokenOf), { confirmed }),
      sarif: () => sarifReport(result, cwd, packageVersion()),
      text: () => {
        const style = styleFor(context);
        return textReport(result, { style, cwd, replay }) + confirmedText(confirmed);
      },
    });
    if (interrupt.signal.aborted) context.stderr.write(goOnText(tracePath, resume));
    return EXIT_CODES[result.verdict];
  };
  const reporting = report();
  // An interrupted run still says what it covered, if the checks under way end soon.
  const undoInterrupt = context.onInterrupt(async () => {
    interrupt.abort();
    const told = reporting.catch(() => null);
    // What is to be gone on with is worth waiting for the checks under way; a second interrupt ends it all.
    const wait = resume === null ? systemClock.sleep(REPORT_WAIT_MS) : told;
    await Promise.race([told, wait]);
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

/** What the real kernel showed of each finding; null where that was not asked. */
async function confirmedBy(
  context: CommandContext,
  args: CommandArguments,
  run: Readonly<{ trace: Trace; result: LabResult; checker: Checker; progress: ProgressLine }>,
): Promise<KernelAnswer[][] | null> {
  if (!args.flag('confirm')) return null;
  const findings = groupFindings(run.result).map(toConfirm);
  return await confirmFindings(run.trace, findings, run.checker, {
    progress: (text) => run.progress.update(text),
    onRig: (takeDown) => context.onInterrupt(takeDown),
  });
}

/** What of a run the options decide by themselves. */
function settingsFrom(args: CommandArguments): Omit<LabRunOptions, 'models' | 'checker'> {
  return {
    ...budgetFrom(args),
    redundant: args.flag('redundant'),
    seed: seedFrom(args),
    jobs: jobsFrom(args),
    rebuilt: rebuiltFrom(args),
  };
}

/** `--check CMD` as a shell takes it: without it another checker would judge the same disk. */
function judgeOption(args: CommandArguments): string {
  const check = args.text('check');
  return check === undefined ? '' : ` --check '${check.replaceAll("'", String.raw`'\''`)}'`;
}

/** Tokens where the trace is kept, to replay from. */
function tokenMaker(digest: string, tracePath: string | null): (finding: Finding) => string | null {
  return ({ model, state }) =>
    tracePath === null
      ? null
      : encodeReplayToken({ traceDigest: digest, model, state: encodeState(state) });
}

function resumeFrom(
  args: CommandArguments,
  cwd: string,
  subject: ExploredSubject,
): ResumeFile | null {
  const name = args.text('resume');
  return name === undefined ? null : new ResumeFile(name, cwd, subject);
}

/** Prints the report in the form that was asked for. */
function printReport(
  context: CommandContext,
  args: CommandArguments,
  forms: Readonly<{ json: () => unknown; sarif: () => unknown; text: () => string }>,
): void {
  const plain = args.flag('json') ? forms.json : args.flag('sarif') ? forms.sarif : null;
  const text = plain === null ? forms.text() : `${JSON.stringify(plain(), null, 2)}\n`;
  context.stdout.write(text);
}

/** What to do with a run that was interrupted. */
function goOnText(tracePath: string | null, resume: ResumeFile | null): string {
  if (tracePath === null) return '';
  return resume === null
    ? 'interrupted; with --resume FILE the next run could have gone on from here\n'
    : `interrupted; to go on: holdfast explore ${tracePath} --resume ${resume.name}, and the same options\n`;
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

/** How reports look on this command's standard output. */
export function styleFor(context: CommandContext): TextStyle {
  const { bold, red, green, yellow } = paletteFor(context, context.stdout);
  return { table: formatTable, bold, red, green, yellow, printable };
}
