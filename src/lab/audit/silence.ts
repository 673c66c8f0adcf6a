/**
 * Findings that somebody looked at and does not want to see again: by a comment beside the line, or by a configuration
 * file. A rule that does not exist is an error here, so that no typing mistake silences anything, or nothing.
 */

import { isAbsolute, relative } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type { AuditFinding } from './audit-trace.ts';
import { AUDIT_RULES, isAuditRuleName, type AuditRuleName } from './audit-rule.ts';

/** One entry of `ignore` in a configuration file. All that it names must fit. */
export interface SilenceEntry {
  readonly rule: AuditRuleName | '*';
  /** Of the file or directory below the root. */
  readonly path: RegExp | null;
  /** Of the source file whose line is named, relative to the working directory. */
  readonly source: RegExp | null;
}

export interface SilenceOptions {
  readonly entries: readonly SilenceEntry[];
  readonly cwd: string;
  /** The lines of a source file, or null where it cannot be read. */
  readonly readLines: (file: string) => readonly string[] | null;
}

/** The findings that nobody silenced, and how many somebody did. @throws UsageError for a comment without a rule */
export function withoutSilenced(
  findings: readonly AuditFinding[],
  options: SilenceOptions,
): { readonly findings: readonly AuditFinding[]; readonly silenced: number } {
  const kept = findings.filter(
    (finding) =>
      !options.entries.some((entry) => fits(entry, finding, options.cwd)) &&
      !hasComment(finding, options),
  );
  return { findings: kept, silenced: findings.length - kept.length };
}

function fits({ rule, path, source }: SilenceEntry, finding: AuditFinding, cwd: string): boolean {
  if (rule !== '*' && rule !== finding.rule) return false;
  if (path !== null && !path.test(finding.path)) return false;
  if (source === null) return true;
  const frame = finding.at.stack[finding.at.site];
  return frame !== undefined && source.test(fromHere(frame.file, cwd));
}

function fromHere(file: string, cwd: string): string {
  return isAbsolute(file) ? relative(cwd, file).replaceAll('\\', '/') : file;
}

const COMMENT = /holdfast-audit-ignore\b[: ]*([^\n]*)/;

/** On the line of any call on the way to the finding, or alone on the line before it. */
function hasComment({ rule, at }: AuditFinding, { readLines }: SilenceOptions): boolean {
  return at.stack.some(({ file, line }) => {
    const lines = line > 0 ? readLines(file) : null;
    if (lines === null) return false;
    const own = lines[line - 1] ?? '';
    const before = lines[line - 2] ?? '';
    const isAlone = /^\s*(?:\/\/|\/\*|\*|#|--)/.test(before);
    return [own, isAlone ? before : ''].some((text) => {
      const named = COMMENT.exec(text)?.[1];
      return named !== undefined && rulesOf(named, `${file}:${line}`).includes(rule);
    });
  });
}

/** The rules that a comment names; whatever follows them is its reason. */
function rulesOf(text: string, place: string): AuditRuleName[] {
  const words = /^\s*([\w-]+(?:\s*,\s*[\w-]+)*)/.exec(text)?.[1] ?? '';
  return words.split(/\s*,\s*/).map((word) => ruleNamed(word, `the comment at ${place}`));
}

function ruleNamed(word: string, where: string): AuditRuleName {
  if (isAuditRuleName(word)) return word;
  const known = AUDIT_RULES.map(({ name }) => name).join(', ');
  throw new UsageError(`${where} names no rule: "${word}"; the rules are ${known}`);
}

/** The entries of a configuration file. @throws UsageError with the file and what is wrong in it */
export function parseSilenceConfig(text: string, file: string): SilenceEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The reason is in words that name the place.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${file} is not JSON: ${reason}`, { cause });
  }
  const { ignore } = fieldsOf(value, file, ['ignore']);
  if (!Array.isArray(ignore)) throw new UsageError(`${file}: "ignore" is not a list`);
  return ignore.map((entry: unknown, index) => {
    const where = `${file}: entry ${index + 1} of "ignore"`;
    const { rule, path, source } = fieldsOf(entry, where, ['rule', 'path', 'source']);
    if (typeof rule !== 'string') throw new UsageError(`${where} names no rule`);
    return {
      rule: rule === '*' ? rule : ruleNamed(rule, where),
      path: patternOf(path, `${where}: "path"`),
      source: patternOf(source, `${where}: "source"`),
    };
  });
}

function fieldsOf(
  value: unknown,
  where: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${where} is not an object`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`${where} has "${unknown}", which is none of ${known.join(', ')}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** `*` is any text within one name, `**` any text, `?` one character. */
function patternOf(value: unknown, where: string): RegExp | null {
  if (value === undefined) return null;
  if (typeof value !== 'string' || value === '') throw new UsageError(`${where} is not a pattern`);
  const source = value
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`^${source}$`, 's');
}
