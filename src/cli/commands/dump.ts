/** `holdfast dump`: everything that a store, a log or one of their files holds, a line each. The reading is in `formats`. */

import { relative, resolve } from 'node:path';

import type { Command, CommandContext } from '../command.ts';
import { formatOf } from '../formats/format-list.ts';
import type { DumpedRecord, StoreFormat, StoreReport } from '../formats/store-format.ts';
import type { ExitCode } from '../exit-codes.ts';
import { printable, ProgressLine } from '../output.ts';
import { complaintLines, exitCodeOf } from './store-report-text.ts';

/** More of a key or value is cut in text; `--json` has all of it. */
const SHOWN_BYTES_MAX = 64;

const DESCRIPTION = `
PATH is the directory of a store of any engine or of a write-ahead log, or one file of them:
a log, a table or a manifest (also LevelDB's), a data, hint, index or page file. It is shown as it
lies on the disk, entries that no longer count included; docs/formats has what the words mean.
Nothing is changed and no lock is taken. Long keys and values are cut; --json has all
of them, a JSON object a line, bytes as hexadecimal digits.

Exit codes: 0 all of it was read, 1 something that was durable is damaged: the records before
are shown, 2 wrong use or an error, 3 the end may be a torn write of the last crash.
`;

/** The command. */
export const dumpCommand: Command = {
  name: 'dump',
  summary: 'print what a store, a log or one of their files holds',
  usage: 'PATH [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'a JSON object for each record' } },
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const path = resolve(context.cwd, args.positionals[0] ?? '');
    const line = args.flag('json') ? jsonLine : textLine;
    return dump(context, path, await formatOf(path), line);
  },
};

function dump(
  context: CommandContext,
  path: string,
  format: StoreFormat,
  line: (record: DumpedRecord, file: string) => string,
): ExitCode {
  const progress = new ProgressLine(context.stderr);
  let report: StoreReport;
  try {
    const records = format.dump(path, (done, total, unit = 'bytes') => {
      progress.update(`read ${done} of ${total} ${unit}`);
    });
    let step = records.next();
    for (; step.done !== true; step = records.next()) {
      const file = relative(context.cwd, step.value.file);
      context.stdout.write(`${line(step.value, file)}\n`);
    }
    report = step.value;
  } finally {
    progress.clear();
  }
  for (const each of complaintLines(report, context.cwd)) context.stderr.write(`${each}\n`);
  return exitCodeOf(report);
}

function textLine({ offset, kind, fields }: DumpedRecord, file: string): string {
  const parts = Object.entries(fields).map(([name, value]) => {
    return `${name} ${value instanceof Uint8Array ? shown(value) : value}`;
  });
  return printable(`${file}:${offset} ${kind} ${parts.join(' ')}`);
}

function jsonLine({ offset, kind, fields }: DumpedRecord, file: string): string {
  const plain = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ]);
  return JSON.stringify({ file, offset, kind, ...Object.fromEntries(plain) });
}

/** Text where it is text, hexadecimal digits where it is not. */
function shown(bytes: Uint8Array): string {
  const cut = Buffer.from(bytes.subarray(0, SHOWN_BYTES_MAX));
  const text = cut.toString('utf8');
  const isText = !/[\u{FFFD}\p{Cc}\p{Cf}]/u.test(text);
  const more = bytes.length > SHOWN_BYTES_MAX ? `… (${bytes.length} bytes)` : '';
  return `${isText ? JSON.stringify(text) : `x${cut.toString('hex')}`}${more}`;
}
