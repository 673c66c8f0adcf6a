import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { CrashedDisk, Verdict } from '../../../../src/lab/check/checker.ts';
import { ProcessChecker } from '../../../../src/lab/check/process-checker.ts';
import { ProcessDumper } from '../../../../src/lab/check/process-dump.ts';
import type { MarkOperation } from '../../../../src/lab/record/operation.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import type { FileTreeNode } from '../../../../src/vfs/file-tree.ts';

const trial = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', '/bin/true']);
const needsStrace = trial.status === 0 ? false : 'strace cannot be used here';

function mark(text: string): MarkOperation {
  const time = { start: 1, end: 2, thread: 0, stack: -1, path: '' };
  return { kind: 'mark', source: 'stdout', text, ...time };
}

const DISKS = 15;

/** Many disks that differ in a few places each. */
function disks(): CrashedDisk[] {
  const all: CrashedDisk[] = [];
  for (let index = 0; index < DISKS; index++) {
    const files: Record<string, string> = {
      main: `v${index % 3}`,
      'd/x': 'x',
      [`tmp${index}`]: '',
    };
    if (index % 2 === 0) files['backup'] = `b${index % 4}`;
    if (index % 5 === 0) files['d/y'] = 'y';
    const tree = treeOf(files);
    const entries = new Map<string, FileTreeNode>(tree.entries);
    entries.set('link', { kind: 'symlink', target: index % 7 === 0 ? 'main' : 'd/x' });
    all.push({ root: { ...tree, entries }, marks: index % 3 === 0 ? [mark('said\n')] : [] });
  }
  return all;
}

/** Checkers that look, read, list, move, follow, write and fork in different ways. */
const COMMANDS: Record<string, string> = {
  'reads one file': 'grep -q v1 main',
  'reads another by the first': 'if grep -q v2 main; then test -e backup; else exit 0; fi',
  'asks for names only': 'test -e backup || test -e d/y',
  'lists a directory': 'test "$(ls d | wc -l)" = 1',
  'follows a link': 'grep -q v link',
  'reads what it moved': 'mv main elsewhere; cd d; grep -q v1 ../elsewhere',
  'reads what it linked': 'ln -s main new; cd d; test -s ../new && grep -q v0 ../new',
  'reads what it copied': 'cp main copy && grep -q v1 copy',
  'writes before it reads': 'echo v1 > main; grep -q v1 main',
  'appends before it reads': 'echo v1 >> main; grep -q v0 main',
  'moves a directory and reads below': 'mv d e; test -e e/y',
  'reads what was said': 'grep -q said "$HOLDFAST_ACKS" || grep -q v1 main',
  'reads as another process': 'cat main | (cd d; read line; test "$line" = v2)',
  'reads by the full path': 'cd /; grep -q v1 "$HOLDFAST_STATE/main"',
  'looks at everything': 'find . -type f | sort | md5sum | grep -q ^[0-7]',
};

test('what is remembered is what a run would have said', { skip: needsStrace }, async (context) => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    await context.test(name, async () => {
      const plain = new ProcessChecker({ command, remember: false });
      const clever = new ProcessChecker({ command });
      const seen = new Set<string>();
      for (const disk of disks()) {
        const wanted: Verdict = await plain.check(disk);
        seen.add(JSON.stringify(wanted));
        assert.deepEqual(await clever.check(disk), wanted);
      }
      if (name !== 'writes before it reads') assert.equal(seen.size, 2, 'the disks differ');
      assert.equal(plain.counts.run, DISKS);
      assert.equal(clever.counts.run + clever.counts.remembered, DISKS);
      const whole = name === 'looks at everything' || name === 'reads what it linked';
      assert.ok(whole || clever.counts.run < DISKS, `${clever.counts.run} runs`);
      await plain.close();
      await clever.close();
    });
  }
});

test('a dump is remembered with what it printed', { skip: needsStrace }, async () => {
  const plain = new ProcessDumper({ command: 'cat main; echo; cat d/y', remember: false });
  const clever = new ProcessDumper({ command: 'cat main; echo; cat d/y' });
  for (const disk of disks()) assert.deepEqual(await clever.dump(disk), await plain.dump(disk));
  assert.ok(clever.counts.run < 20, `${clever.counts.run} runs`);
  await plain.close();
  await clever.close();
});

test(
  'a command on which strace makes a difference is run on every disk',
  { skip: needsStrace },
  async () => {
    const command = 'grep -q "TracerPid:.0" /proc/self/status && grep -q v main';
    const checker = new ProcessChecker({ command });
    for (const disk of disks()) assert.deepEqual(await checker.check(disk), { ok: true });
    assert.deepEqual(checker.counts, { run: DISKS, remembered: 0 });
    await checker.close();
    // One that passes only when it is traced never passes.
    const inverse = new ProcessChecker({ command: 'grep -q "TracerPid:.[1-9]" /proc/self/status' });
    for (const disk of disks()) assert.equal((await inverse.check(disk)).ok, false);
    assert.deepEqual(inverse.doubts, []);
    await inverse.close();
  },
);

test('a command that fails once while it is traced is doubted', { skip: needsStrace }, async () => {
  for (const call of [4, 5]) {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-recall-'));
    const count = join(directory, 'count');
    const command = `echo >> ${count}; test "$(wc -l < ${count})" != ${call}`;
    const checker = new ProcessChecker({ command });
    try {
      for (const disk of disks().slice(0, 4)) await checker.check(disk);
      assert.deepEqual(checker.doubts, [
        `${command} decides by something else than the disk: it ended in two ways on one disk`,
      ]);
    } finally {
      await checker.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }
});
