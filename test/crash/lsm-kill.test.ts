/** A process with an LSM store is killed again and again under load: see `kill-loop.ts`. */

import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { killLoop } from '../support/kill-loop.ts';

const program = fileURLToPath(new URL('lsm-program.js', import.meta.url));

test('a process that is killed under load loses nothing that had resolved', async (t) => {
  await killLoop(t, { kind: lsmKind, program }, 3);
});
