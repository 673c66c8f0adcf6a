/** `holdfast restore`: puts a backup where a store is to be. */

import { resolve } from 'node:path';

import { restoreStore } from '../../level/restore-store.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { longWork } from '../long-work.ts';
import { counted } from '../output.ts';
import { shownBytes, shownPath } from '../store-work.ts';

const DESCRIPTION = `
Copies BACKUP, which is a store of any engine that no program has open, to DIR, which must be
missing or empty. BACKUP is read whole first and must be sound; it is not changed. When the
command is done the copy is durable. Interrupted, it removes what it has copied. After a crash
there is all of the store in DIR, or none: then a file whose name ends in .restoring says so,
opening fails, and DIR is to be emptied. See docs/store.md.

Exit codes: 0 done, 2 wrong use, an error, or a damaged backup.
`;

/** The command. */
export const restoreCommand: Command = {
  name: 'restore',
  summary: 'copy a backup to where its store is to be, durably',
  usage: 'BACKUP DIR [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the result as JSON (see docs/store.md)' } },
  positionals: { min: 2, max: 2 },
  async run(context, args) {
    const [backup = '', directory = ''] = args.positionals.map((path) =>
      resolve(context.cwd, path),
    );
    const report = await longWork(context, (options) => restoreStore(backup, directory, options));
    const { engine, files, bytes } = report;
    const from = shownPath(backup, context);
    const to = shownPath(directory, context);
    const plain = { backup: from, directory: to, engine, files, bytes };
    context.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(plain, null, 2)}\n`
        : `restored ${from} to ${to}: ${shownBytes(bytes)} in ${counted(files, 'file')}\n`,
    );
    return exitCodes.clean;
  },
};
