/** `holdfast verify`: reads all of a log or a store and says what it is worth. The judging is in `formats`. */

import { relative, resolve } from 'node:path';

import type { Command, CommandContext } from '../command.ts';
import { formatOf } from '../formats/format-list.ts';
import type { Complaint, StoreReport } from '../formats/store-format.ts';
import { counted, formatTable, paletteFor, printable, ProgressLine } from '../output.ts';
import { complaintLines, exitCodeOf } from './store-report-text.ts';

const DESCRIPTION = `
PATH is the directory of a store of any engine or of a write-ahead log, or one file of them:
a log, a table or a manifest (also LevelDB's), a data, hint, index or page file.
Nothing is changed and no lock is taken. Of a log that is being written, the last record
may look torn. Files of a store that is open may change while they are read: what looks damaged
is looked at again, and named if it stays. db.verify() in the program that has the store open
sees all of one state.

Exit codes: 0 all of it is good, 1 something that was durable is damaged or missing,
2 wrong use or an error, 3 nothing durable is known to be damaged, and the end may be
a torn write of the last crash: opening cuts it off and says so.
`;

/** The command. */
export const verifyCommand: Command = {
  name: 'verify',
  summary: 'check a store or a log for damage',
  usage: 'PATH [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the report as JSON' } },
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const path = resolve(context.cwd, args.positionals[0] ?? '');
    const progress = new ProgressLine(context.stderr);
    let report: StoreReport;
    const format = await formatOf(path);
    try {
      report = await format.verify(path, (done, total, unit = 'bytes') => {
        progress.update(`read ${done} of ${total} ${unit}`);
      });
    } finally {
      progress.clear();
    }
    context.stdout.write(
      args.flag('json')
        ? reportJson(format.name, report, context.cwd)
        : reportText(report, context),
    );
    return exitCodeOf(report);
  },
};

function reportText(report: StoreReport, context: CommandContext): string {
  const palette = paletteFor(context, context.stdout);
  const rows = report.files.map(({ file, bytes, holds }) => [
    printable(relative(context.cwd, file)),
    counted(bytes, 'byte'),
    holds,
  ]);
  const complaints = complaintLines(report, context.cwd);
  const verdict =
    report.damage.length > 0
      ? palette.red('damaged')
      : report.torn.length > 0
        ? palette.yellow('good up to a torn end')
        : palette.green('good');
  const lines = [...complaints, ...report.notes.map((note) => `note: ${printable(note)}`), verdict];
  return `${rows.length === 0 ? '' : formatTable(rows)}${lines.join('\n')}\n`;
}

function reportJson(format: string, report: StoreReport, cwd: string): string {
  const named = <T extends { readonly file: string }>(each: T): T => ({
    ...each,
    file: relative(cwd, each.file),
  });
  const { files, damage, torn, notes } = report;
  const plain = {
    format,
    files: files.map((each) => named(each)),
    damage: damage.map((each: Complaint) => named(each)),
    torn: torn.map((each: Complaint) => named(each)),
    notes,
  };
  return `${JSON.stringify(plain, null, 2)}\n`;
}
