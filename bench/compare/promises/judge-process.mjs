/**
 * A judge in a process of its own: a message `{ name, round, directory, told }` in, one `{ wrong, why }` out. Native code
 * may end this process over a damaged disk: that is an answer too, which the parent gives.
 */

import { join } from 'node:path';
import process from 'node:process';

import { judgeStore } from './judge.mjs';

process.on('message', async ({ name, round, directory, told }) => {
  process.send(await judgeStore(name, { round, place: join(directory, 'db'), told }));
});
