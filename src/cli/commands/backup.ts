/** `holdfast backup`: a durable copy of a store in another directory. */

import { resolve } from 'node:path';

import { requireEmptyDirectory } from '../../durable/empty-directory.ts';
import { backupStore } from '../../level/backup-store.ts';
import { verifyStore } from '../../level/store-places.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { complaintOf } from '../formats/store-format.ts';
import { longWork } from '../long-work.ts';
import { droppedJson, droppedLines, shownBytes, shownPath, withStore } from '../store-work.ts';
import { complaintLines } from './store-report-text.ts';

const DESCRIPTION = `
Copies the store in DIR, of any engine, to TARGET, which must be missing or empty. No program may
have the store open; one that has makes its own backup while it goes on, with db.backup(TARGET).
When the command is done the copy is durable and has been read and verified; it is a store, which
holdfast restore copies back. Interrupted while it copies, it removes what it has copied; after a
crash TARGET holds no store. See docs/store.md.

Exit codes: 0 done, 1 copied, and what was copied is damaged, 2 wrong use or an error.
`;

/** The command. */
export const backupCommand: Command = {
  name: 'backup',
  summary: 'copy a store, durably',
  usage: 'DIR TARGET [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the result as JSON (see docs/store.md)' } },
  positionals: { min: 2, max: 2 },
  async run(context, args) {
    const [directory, target] = args.positionals.map((path) => resolve(context.cwd, path));
    const from = directory ?? '';
    const to = target ?? '';
    const result = await longWork(context, async (options) => {
      await requireEmptyDirectory(nodeVfs, to);
      return await withStore(from, async (engine) => {
        const report = await backupStore(engine, to, options);
        return { report, engine: engine.name, recovery: engine.recovery };
      });
    });
    // An engine may copy files as they are: a copy that nobody has read is no backup yet.
    const { damage } = await longWork(context, (options) => verifyStore(to, options));
    const { report, engine, recovery } = result;
    const shown = shownPath(from, context);
    const copied = shownPath(to, context);
    if (args.flag('json')) {
      const { files, bytes } = report;
      const dropped = droppedJson(recovery, context);
      const named = damage.map((each) => ({ ...each, path: shownPath(each.path, context) }));
      const about = { directory: shown, target: copied, engine };
      const plain = { ...about, files, bytes, dropped, damage: named };
      context.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    } else {
      for (const line of droppedLines(recovery, context)) context.stderr.write(`${line}\n`);
      context.stdout.write(`copied ${shown} to ${copied}: ${shownBytes(report.bytes)}\n`);
      for (const line of complaintLines(
        { damage: damage.map(complaintOf), torn: [] },
        context.cwd,
      )) {
        context.stderr.write(`${line}\n`);
      }
    }
    return damage.length === 0 ? exitCodes.clean : exitCodes.found;
  },
};
