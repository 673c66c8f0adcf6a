/** The result of an audit as text for people. */

import type { AuditReportInput } from '../../lab/audit/audit-report.ts';
import type { AuditSeverity } from '../../lab/audit/audit-rule.ts';
import type { SyncCounts } from '../../lab/audit/sync-counts.ts';
import { placeText } from '../../lab/report/lab-report.ts';
import type { Paint, Palette } from '../output.ts';
import { printable } from '../output.ts';

export function auditText(input: AuditReportInput, palette: Palette): string {
  const { findings, silenced, result, cwd } = input;
  const lines: string[] = [];
  findings.forEach(({ rule, severity, message, models, at, other, path, times }, index) => {
    const place = placeText(at, cwd) ?? `${at.what} (its line is not known)`;
    const often = times > 1 ? `, ${times} times` : '';
    lines.push(
      `${index + 1}. ${paintOf(severity, palette)(severity)}  ${palette.bold(rule)}  ${printable(place)}${often}`,
      `   ${printable(message)}`,
      `   call     ${printable(at.what)}`,
    );
    if (other !== null) {
      const otherPlace = placeText(other, cwd);
      const where = otherPlace === null ? '' : ` at ${otherPlace}`;
      lines.push(`   shown by ${printable(`${other.what}${where}`)}`);
    }
    lines.push(`   path     ${printable(path)}`, `   on       ${models.join(', ')}`, '');
  });
  lines.push(`syncs: ${syncsText(result.syncs)}`);
  for (const what of result.unmodelled) lines.push(`not modelled: ${printable(what)}`);
  lines.push(summaryText(input, palette));
  if (silenced > 0) lines.push(palette.dim(`${silenced} silenced`));
  return `${lines.join('\n')}\n`;
}

function syncsText({ fileData, file, directory, all, failed }: SyncCounts): string {
  const parts = [`${fileData} of file data`, `${file} of files`, `${directory} of directories`];
  if (all > 0) parts.push(`${all} of whole file systems`);
  if (failed > 0) parts.push(`${failed} of them failed`);
  return parts.join(', ');
}

function summaryText({ findings, result }: AuditReportInput, palette: Palette): string {
  const counts = (['error', 'warning', 'note'] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return { severity, count };
  });
  const told = counts.filter(({ count }) => count > 0);
  if (told.length > 0) {
    const text = told.map(({ severity, count }) => `${count} ${severity}${count > 1 ? 's' : ''}`);
    return `found: ${text.join(', ')}; holdfast audit --rules tells what each rule is about`;
  }
  if (result.unmodelled.length > 0) {
    return palette.yellow('incomplete: no rule found anything, but not everything could be seen');
  }
  return palette.green(`nothing found on ${result.models.join(', ')}`);
}

function paintOf(severity: AuditSeverity, palette: Palette): Paint {
  if (severity === 'error') return palette.red;
  return severity === 'warning' ? palette.yellow : palette.dim;
}
