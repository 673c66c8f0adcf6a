/** `holdfast compact`: gives back the space of what was deleted or overwritten in a store. */

import { resolve } from 'node:path';

import { statsOfStore } from '../../level/store-places.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { longWork } from '../long-work.ts';
import { droppedJson, droppedLines, shownBytes, shownPath, withStore } from '../store-work.ts';

const DESCRIPTION = `
DIR is the directory of a store of any engine that no program has open. The store is opened,
which recovers what a crash has left, and closed again. Interrupting it is harmless: what is
done is done, and nothing that can be read changes. While it works it may need as much room
again as the store has. See docs/store.md.

Exit codes: 0 done, 2 wrong use or an error.
`;

/** The command. */
export const compactCommand: Command = {
  name: 'compact',
  summary: 'give back the space of what a store no longer holds',
  usage: 'DIR [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the result as JSON (see docs/store.md)' } },
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const directory = resolve(context.cwd, args.positionals[0] ?? '');
    const { engine, diskBytes: bytesBefore } = await statsOfStore(directory);
    const recovery = await longWork(context, (options) =>
      withStore(directory, async (store) => {
        await store.compact(undefined, options);
        return store.recovery;
      }),
    );
    const { diskBytes: bytesAfter } = await statsOfStore(directory);
    const shown = shownPath(directory, context);
    if (args.flag('json')) {
      const dropped = droppedJson(recovery, context);
      const plain = { directory: shown, engine, bytesBefore, bytesAfter, dropped };
      context.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    } else {
      for (const line of droppedLines(recovery, context)) context.stderr.write(`${line}\n`);
      const [before, after] = [shownBytes(bytesBefore), shownBytes(bytesAfter)];
      context.stdout.write(`compacted ${shown}: ${before} before, ${after} now\n`);
    }
    return exitCodes.clean;
  },
};
