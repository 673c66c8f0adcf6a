/** `holdfast audit`: patterns in a recorded run that lose data on some file system, without a checker. */

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { auditTrace, type AuditResult } from '../../lab/audit/audit-trace.ts';
import { auditJson, auditSarif } from '../../lab/audit/audit-report.ts';
import { auditPage } from '../../lab/report/html/audit-page.ts';
import { AUDIT_RULES } from '../../lab/audit/audit-rule.ts';
import { parseSilenceConfig, withoutSilenced, type SilenceEntry } from '../../lab/audit/silence.ts';
import { DEFAULT_MODELS } from '../../lab/model/model-list.ts';
import type { Trace } from '../../lab/record/operation.ts';
import { changesNothing, NOTHING_CHANGED } from '../../lab/record/nothing-changed.ts';
import { readTraceFile } from '../../lab/record/trace-reader.ts';
import type { CommandArguments } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { recordInterruptibly } from '../interruptible-recording.ts';
import { HTML_OPTION, requireHtmlOption, requireHtmlPlace, writeHtml } from '../html-option.ts';
import { modelsFrom } from '../lab-options.ts';
import { formatTable, paletteFor } from '../output.ts';
import { packageVersion } from '../package-version.ts';
import { sourceLines } from '../source-lines.ts';
import { auditText } from './audit-text.ts';

/** Read where it is there, unless another is named. */
const CONFIG_NAME = 'holdfast-audit.json';

const DESCRIPTION = `
Looks for calls that lose data on some file system: no checker is needed, and nothing is proved.
A finding is silenced by a comment on its line or the one before, "holdfast-audit-ignore RULE",
or by an entry in ${CONFIG_NAME}: {"ignore": [{"rule": RULE, "path": "cache/**"}]}.
Exit code 1: errors or warnings; notes alone do not count.
`;

/** The command. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'name the calls of a program that lose data on some file system, without a checker',
  usage:
    '(TRACE | --root DIR [--via HOW] -- PROGRAM…) [--model M,…] [--json | --sarif] [--html FILE]',
  description: DESCRIPTION,
  options: {
    root: { type: 'string', value: 'DIR', help: 'the directory whose changes are recorded' },
    via: { type: 'string', value: 'HOW', help: 'node (default), or strace for any Linux program' },
    model: {
      type: 'string',
      multiple: true,
      value: 'M[,M…]',
      help: `crash models (default ${DEFAULT_MODELS.join(',')})`,
    },
    config: { type: 'string', value: 'FILE', help: `what to silence (default ${CONFIG_NAME})` },
    rules: { type: 'boolean', help: 'list the rules and do nothing else' },
    json: { type: 'boolean', help: 'print the result as JSON (see docs/formats/audit.md)' },
    sarif: { type: 'boolean', help: 'print the result as SARIF 2.1.0' },
    ...HTML_OPTION,
  },
  positionals: { min: 0, max: 1 },
  program: 'optional',
  run: runAudit,
};

async function runAudit(context: CommandContext, args: CommandArguments): Promise<ExitCode> {
  if (args.flag('rules')) return listRules(context);
  if (args.flag('json') && args.flag('sarif')) {
    throw new UsageError('--json and --sarif exclude each other');
  }
  requireHtmlOption(args);
  requireHtmlPlace(context, args);
  const models = modelsFrom(args);
  const entries = silenceEntries(context, args);
  const trace = await traceOf(context, args);
  const audited = auditTrace(trace, models);
  const unmodelled = changesNothing(trace)
    ? [...audited.unmodelled, NOTHING_CHANGED]
    : audited.unmodelled;
  const result: AuditResult = { ...audited, unmodelled };
  const { cwd } = context;
  const readLines = sourceLines();
  const kept = withoutSilenced(result.findings, { entries, cwd, readLines });
  const input = { result, ...kept, command: trace.command, cwd };
  await writeHtml(context, args, () => auditPage({ ...input, trace, readLines }));
  if (args.flag('json')) context.stdout.write(`${JSON.stringify(auditJson(input), null, 2)}\n`);
  else if (args.flag('sarif')) {
    context.stdout.write(`${JSON.stringify(auditSarif(input, packageVersion()), null, 2)}\n`);
  } else context.stdout.write(auditText(input, paletteFor(context, context.stdout)));
  if (kept.findings.some(({ severity }) => severity !== 'note')) return exitCodes.found;
  return unmodelled.length === 0 ? exitCodes.clean : exitCodes.incomplete;
}

function listRules(context: CommandContext): ExitCode {
  const rows = AUDIT_RULES.map(({ name, severity, summary }) => [name, severity, summary]);
  context.stdout.write(formatTable(rows));
  return exitCodes.clean;
}

async function traceOf(context: CommandContext, args: CommandArguments): Promise<Trace> {
  const [path] = args.positionals;
  const isProgram = args.program.length > 0;
  if ((path !== undefined) === isProgram) {
    throw new UsageError('audit takes either a TRACE, or --root DIR -- PROGRAM…');
  }
  if (path !== undefined) {
    const extra = ['root', 'via'].find((name) => args.text(name) !== undefined);
    if (extra !== undefined) throw new UsageError(`--${extra} goes with a program, not a trace`);
    return readTraceFile(resolve(context.cwd, path));
  }
  const via = args.text('via') ?? 'node';
  if (via !== 'node' && via !== 'strace') {
    throw new UsageError(`--via takes node or strace, not '${via}'`);
  }
  const isForMachines = args.flag('json') || args.flag('sarif');
  return await recordInterruptibly(context, {
    root: resolve(context.cwd, args.requiredText('root')),
    command: args.program,
    via,
    output: isForMachines ? 'ignore' : 'inherit',
  });
}

function silenceEntries(context: CommandContext, args: CommandArguments): SilenceEntry[] {
  const named = args.text('config');
  const file = resolve(context.cwd, named ?? CONFIG_NAME);
  if (named === undefined && !existsSync(file)) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    // Whatever the reason, the user named a file that cannot be read.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${file} cannot be read: ${reason}`, { cause });
  }
  return parseSilenceConfig(text, file);
}
