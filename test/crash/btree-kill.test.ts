/** A process with a B+tree is killed again and again under load: see `kill-loop.ts`. */

import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { btreeKind } from '../../src/btree/btree-kind.ts';
import { killLoop } from '../support/kill-loop.ts';

const program = fileURLToPath(new URL('btree-program.js', import.meta.url));

test('a process with a B+tree that is killed under load loses nothing that had resolved', async (t) => {
  await killLoop(t, { kind: btreeKind, program }, 2);
});
