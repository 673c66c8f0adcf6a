import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CrashedDisk } from '../../../../src/lab/check/checker.ts';
import { ProcessDumper, type Dump, type Dumper } from '../../../../src/lab/check/process-dump.ts';
import { RobustnessOracle, validateDumper } from '../../../../src/lab/check/robustness-oracle.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import type { TestScope } from '../../../support/temporary-directory.ts';

const needsShell =
  process.platform === 'win32' ? 'the commands are written for a POSIX shell' : false;

function disk(files: Record<string, string>): CrashedDisk {
  return { root: treeOf(files), marks: [] };
}

function dumper(context: TestScope, command: string, timeLimitMs = 30_000): ProcessDumper {
  const made = new ProcessDumper({ command, timeLimitMs, concurrency: 2 });
  context.after(() => void made.close());
  return made;
}

test(
  'an output that a crash in order gives passes, another one is a violation',
  { skip: needsShell },
  async (context) => {
    // Recovery reads the log only when the flag is there: the program imagines that the log comes first.
    const oracle = new RobustnessOracle({
      dumper: dumper(context, 'if [ -e flag ]; then cat log; else echo none; fi'),
      inOrderDisks: [disk({}), disk({ log: '' }), disk({ log: 'a' }), disk({ log: 'a', flag: '' })],
    });
    assert.deepEqual(await oracle.check(disk({ log: 'other' })), { ok: true });
    assert.equal(oracle.outputCount, 2);
    assert.deepEqual(await oracle.check(disk({ log: '', flag: '' })), {
      ok: false,
      message: 'recovery shows nothing: no crash in order gives this output',
    });
    const damaged = await oracle.check(disk({ flag: '' }));
    assert.match(damaged.ok ? '' : damaged.message, /ends with exit 1 and shows "cat: .*log/);
    await oracle.close();
  },
);

test(
  'outputs that differ beyond what is kept in memory still differ',
  { skip: needsShell },
  async (context) => {
    const oracle = new RobustnessOracle({
      dumper: dumper(context, 'head -c 1000000 /dev/zero; cat a'),
      inOrderDisks: [disk({ a: '1' })],
    });
    assert.deepEqual(await oracle.check(disk({ a: '1' })), { ok: true });
    assert.equal((await oracle.check(disk({ a: '2' }))).ok, false);
  },
);

test(
  'a dump command that is missing, fails or prints something else each time is wrong use',
  { skip: needsShell },
  async (context) => {
    const first = disk({});
    const last = disk({ a: '1' });
    const cases: [string, RegExp][] = [
      ['no-such-command', /no-such-command fails on an undamaged disk with exit 127: .*not found/],
      ['echo x; exit 3', /exit 3: x/],
      ['echo $$', /something else each time/],
      ['sleep 100', /time-out/],
    ];
    for (const [command, message] of cases) {
      await assert.rejects(validateDumper(dumper(context, command, 2000), first, last), {
        code: 'HOLDFAST_USAGE',
        message,
      });
    }
    await validateDumper(dumper(context, 'ls'), first, last);
    const missing = new ProcessDumper({ command: ['no-such-command'] });
    const oracle = new RobustnessOracle({ dumper: missing, inOrderDisks: [first] });
    await assert.rejects(oracle.check(first), { code: 'HOLDFAST_USAGE', message: /ENOENT/ });
    await oracle.close();
  },
);

test('crashes in order are gone through once, and at least one is needed', async () => {
  let dumps = 0;
  const counting: Dumper = {
    name: 'counting',
    dump(): Dump {
      dumps += 1;
      return { key: 'k', status: 'exit 0', sample: '', output: new Uint8Array(0) };
    },
  };
  const oracle = new RobustnessOracle({ dumper: counting, inOrderDisks: [disk({}), disk({})] });
  await Promise.all([oracle.prepare(), oracle.check(disk({}))]);
  assert.equal(dumps, 3);
  const none = new RobustnessOracle({ dumper: counting, inOrderDisks: [] });
  await assert.rejects(none.prepare(), { code: 'HOLDFAST_USAGE' });
});
