/** `holdfast stats`: the figures of a store, without opening it. */

import { resolve } from 'node:path';

import type { EngineStats } from '../../engine/engine-reports.ts';
import { statsOfStore } from '../../level/store-places.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatTable, printable } from '../output.ts';
import { shownPath } from '../store-work.ts';

const DESCRIPTION = `
DIR is the directory of a store of any engine. Nothing is changed and no lock is taken, so
that a program may have it open; what it holds in memory only is not counted. db.stats()
in the program has more. See docs/store.md.

Exit codes: 0 done, 2 wrong use or an error.
`;

/** The command. */
export const statsCommand: Command = {
  name: 'stats',
  summary: 'print the figures of a store',
  usage: 'DIR [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print them as JSON (see docs/store.md)' } },
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const directory = resolve(context.cwd, args.positionals[0] ?? '');
    const stats = await statsOfStore(directory);
    const shown = shownPath(directory, context);
    context.stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ directory: shown, ...stats }, null, 2)}\n`
        : statsText(shown, stats),
    );
    return exitCodes.clean;
  },
};

function statsText(directory: string, stats: EngineStats): string {
  const { engine, files, diskBytes, entries, details } = stats;
  const rows: [string, string][] = [
    ['directory', directory],
    ['engine', engine],
    ['files', String(files)],
    ['diskBytes', String(diskBytes)],
    ...(entries === undefined ? [] : [['entries', String(entries)] satisfies [string, string]]),
    ...Object.entries(details).map(([name, value]) => [name, String(value)] as [string, string]),
  ];
  return formatTable(rows.map(([name, value]) => [name, printable(value)]));
}
