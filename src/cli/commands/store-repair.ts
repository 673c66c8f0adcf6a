/** `holdfast repair`: makes a damaged store openable, and says what could not be saved. */

import { relative, resolve } from 'node:path';

import { storeAt } from '../../level/store-places.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { complaintOf } from '../formats/store-format.ts';
import { longWork } from '../long-work.ts';
import { counted } from '../output.ts';
import { shownPath } from '../store-work.ts';
import { complaintLines } from './store-report-text.ts';

const DESCRIPTION = `
DIR is the directory of a store of any engine that no program has open. Everything that can be
read is saved; what cannot is listed, and its files are kept in DIR/lost. A store that lost its
manifest may get back what had been deleted: that is listed as well. A store that opens needs no
repair: opening mends what a crash has left. Copy DIR before. Interrupted, or cut off by a crash,
the repair is begun anew by calling it again. See docs/store.md.

Exit codes: 0 nothing was lost, 1 something was damaged: the lines say what, 2 wrong use or an error.
`;

/** The command. */
export const repairCommand: Command = {
  name: 'repair',
  summary: 'save what can be read of a damaged store',
  usage: 'DIR [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the result as JSON (see docs/store.md)' } },
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const directory = resolve(context.cwd, args.positionals[0] ?? '');
    const { kind } = await storeAt(directory);
    const report = await longWork(context, (options) => kind.repair(directory, options));
    const { savedEntries } = report;
    const damage = report.damage.map(complaintOf);
    const keptAside = report.keptAside.map((path) => relative(context.cwd, path));
    const shown = shownPath(directory, context);
    if (args.flag('json')) {
      const named = damage.map((each) => ({ ...each, file: relative(context.cwd, each.file) }));
      const plain = { directory: shown, engine: kind.name, savedEntries, damage: named, keptAside };
      context.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    } else {
      for (const line of complaintLines({ damage, torn: [] }, context.cwd)) {
        context.stdout.write(`${line}\n`);
      }
      const aside =
        keptAside.length === 0 ? '' : `, ${counted(keptAside.length, 'file')} kept in lost`;
      context.stdout.write(
        `repaired ${shown}: ${counted(savedEntries, 'entry', 'entries')} saved${aside}\n`,
      );
    }
    return damage.length === 0 ? exitCodes.clean : exitCodes.found;
  },
};
