import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { findProgram } from '../../../../src/lab/record/program-run.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

test('a program is found behind a directory of PATH that cannot be searched', (t) => {
  const top = temporaryDirectory(t);
  // Refused for root as well, whom no permission stops.
  symlinkSync('loop', join(top, 'loop'));
  mkdirSync(join(top, 'bin'));
  writeFileSync(join(top, 'bin/tool'), '');
  const env = { PATH: `${join(top, 'loop')}:${join(top, 'missing')}:${join(top, 'bin')}` };
  assert.equal(findProgram('tool', { env }), join(top, 'bin/tool'));
  assert.equal(findProgram('none', { env }), null);
  assert.throws(() => findProgram(join(top, 'loop/tool'), { env }), { code: 'ELOOP' });
});
