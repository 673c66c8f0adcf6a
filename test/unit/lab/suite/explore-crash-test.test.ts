import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { CrashTest, CrashTestFinding } from '../../../../src/lab/suite/crash-test.ts';
import { explore } from '../../../../src/lab/suite/explore-crash-test.ts';
import { DEFAULT_MODELS } from '../../../../src/lab/model/model-list.ts';
import { mark } from '../../../../src/lab/record/mark.ts';
import type { Vfs } from '../../../../src/vfs/vfs.ts';
import { writeFullySync, readWholeFileSync } from '../../../../src/vfs/transfer.ts';
import { fileTree } from '../../../support/file-tree-builder.ts';

const OLD = '{"version":1}';
const NEW = '{"version":2,"theme":"dark"}';

interface SaveSteps {
  readonly syncFile?: boolean;
  readonly syncDirectory?: boolean;
}

function save(vfs: Vfs, { syncFile = true, syncDirectory = true }: SaveSteps = {}): void {
  const file = vfs.openSync('/a.json.tmp', { write: true, create: true, truncate: true });
  writeFullySync(file, Buffer.from(NEW), 0); // the write
  if (syncFile) file.datasyncSync();
  file.closeSync();
  vfs.renameSync('/a.json.tmp', '/a.json'); // the rename
  if (!syncDirectory) return;
  const directory = vfs.openDirectorySync('/');
  directory.syncSync();
  directory.closeSync();
}

function read(vfs: Vfs, path = '/a.json'): string {
  return Buffer.from(readWholeFileSync(vfs, path)).toString();
}

function saving(steps: SaveSteps, more: Partial<CrashTest> = {}): CrashTest {
  return {
    tree: fileTree({ 'a.json': OLD }),
    workload: (vfs, context) => {
      save(vfs, steps);
      context.mark('saved');
    },
    check: (vfs, { marks }) => {
      const text = read(vfs);
      if (marks.includes('saved')) assert.equal(text, NEW);
      else assert.ok(text === OLD || text === NEW, `neither old nor new: ${text}`);
    },
    ...more,
  };
}

/** The text of the source line that a finding names. */
function lineOf(finding: CrashTestFinding | undefined): string {
  const { sync, crashAfter } = finding?.example ?? {};
  const told = sync?.after ?? crashAfter;
  const frame = told?.stack[told.site];
  if (frame === undefined) return '';
  return readFileSync(frame.file, 'utf8').split('\n')[frame.line - 1] ?? '';
}

test('a save with all its syncs passes under every model, with faults and crashes in recovery', async () => {
  const result = await explore(saving({}, { faults: true, nested: 2 }));
  assert.equal(result.verdict, 'passed');
  assert.deepEqual(result.findings, []);
  assert.equal(result.certificate.models.length, DEFAULT_MODELS.length);
  assert.ok(result.certificate.faults.runs >= 8, String(result.certificate.faults.runs));
  assert.ok(result.certificate.faults.threw > 0);
  assert.ok(result.certificate.disksChecked > 5);
});

test('a missing file sync is found at the line of the write', async () => {
  const { verdict, findings } = await explore(saving({ syncFile: false }));
  assert.equal(verdict, 'found');
  assert.deepEqual(
    findings.map(({ example }) => example.sync?.call),
    ['fdatasync'],
  );
  assert.match(lineOf(findings[0]), /the write/);
  assert.ok(findings[0]?.models.includes('posix'));
  assert.match(findings[0]?.token ?? '', /^hf1\./);
});

test('a missing directory sync is found at the line of the rename', async () => {
  const { findings } = await explore(saving({ syncDirectory: false }));
  assert.deepEqual(
    findings.map(({ example }) => `${example.sync?.call} of ${example.sync?.of}`),
    ['fsync of directory'],
  );
  assert.match(lineOf(findings[0]), /the rename/);
});

test('the free mark belongs to the workload that calls it, also when two are explored at a time', async () => {
  const workload = async (vfs: Vfs): Promise<void> => {
    save(vfs, { syncDirectory: false });
    await Promise.resolve();
    mark('saved');
  };
  const [one, two] = await Promise.all([
    explore(saving({}, { workload })),
    explore(saving({}, { workload })),
  ]);
  assert.equal(one.verdict, 'found');
  assert.equal(two.verdict, 'found');
  assert.match(one.findings[0]?.example.message ?? '', /strictly equal/);
});

test('a workload or a check that fails where nothing is damaged is wrong use', async () => {
  const broken = saving({}, { workload: () => Promise.reject(new Error('no such thing')) });
  await assert.rejects(explore(broken), {
    code: 'HOLDFAST_USAGE',
    message: /workload fails .* no such thing/,
  });
  const wrong = saving({}, { check: () => assert.fail('never right') });
  await assert.rejects(explore(wrong), { code: 'HOLDFAST_USAGE', message: /never right/ });
  await assert.rejects(explore(saving({}, { models: ['ext5'] })), { code: 'HOLDFAST_USAGE' });
  await assert.rejects(explore(saving({}, { budget: 0 })), TypeError);
  await assert.rejects(explore({ ...saving({}), falts: true } as CrashTest), {
    name: 'TypeError',
    message: /^a crash test has no 'falts': it has workload, check, .*, faults$/,
  });
  await assert.rejects(explore(undefined as unknown as CrashTest), /must be an object/);
});

test('a budget that ends first makes the result incomplete, never passed', async () => {
  const workload = (vfs: Vfs): void => {
    for (let index = 0; index < 10; index++) {
      vfs.openSync(`/f${index}`, { write: true, create: true }).closeSync();
    }
  };
  const check = (vfs: Vfs): unknown => vfs.readDirectorySync('/');
  const { verdict, certificate } = await explore({ workload, check, budget: 100 });
  assert.equal(verdict, 'incomplete');
  assert.ok(certificate.disksChecked <= 100, String(certificate.disksChecked));
  assert.equal(certificate.models.at(-1)?.complete, false);
});

test('a check is waited for, also where it gives a thenable of somebody else', async () => {
  const { runInNewContext } = await import('node:vm');
  const foreign: unknown = runInNewContext('Promise');
  assert.ok(typeof foreign === 'function' && foreign !== Promise);
  const check = (vfs: Vfs): unknown => {
    if (read(vfs) === NEW || read(vfs) === OLD) return undefined;
    return runInNewContext("Promise.reject(new Error('from another realm'))");
  };
  const { verdict, findings } = await explore(saving({ syncFile: false }, { check }));
  assert.equal(verdict, 'found');
  assert.match(findings[0]?.example.message ?? '', /from another realm/);
});

test('disks that differ only in what nobody reads are one where they are too many', async () => {
  const workload = (vfs: Vfs): void => {
    for (let index = 0; index < 18; index++) {
      vfs.openSync(`/f${index}`, { write: true, create: true }).closeSync();
    }
  };
  const present = (vfs: Vfs, path: string): boolean => {
    try {
      vfs.statSync(path);
      return true;
    } catch {
      return false;
    }
  };
  const options = { workload, models: ['posix'], budget: 400 };
  const passing = await explore({ ...options, check: (vfs) => present(vfs, '/f3') });
  assert.equal(passing.verdict, 'passed');
  const [certificate] = passing.certificate.models;
  assert.equal(certificate?.decidedBy, 'reads');
  assert.equal(certificate.disksDistinct, 2);
  assert.equal(certificate.rawStates, 524_286n);
  const check = (vfs: Vfs): void => assert.ok(present(vfs, '/f3') || !present(vfs, '/f4'));
  const found = await explore({ ...options, check });
  assert.equal(found.verdict, 'found');
});

/** Recovery that finishes what `/next` says, and then forgets it: the removal may come first. */
function recoverFromNext(vfs: Vfs, sync: boolean): void {
  let next: string;
  try {
    next = read(vfs, '/next');
  } catch {
    return;
  }
  const file = vfs.openSync('/value', { write: true, create: true, truncate: true });
  writeFullySync(file, Buffer.from(next), 0); // the write of recovery
  if (sync) file.syncSync();
  file.closeSync();
  if (sync) syncRoot(vfs);
  vfs.unlinkSync('/next'); // the removal
}

function syncRoot(vfs: Vfs): void {
  const directory = vfs.openDirectorySync('/');
  directory.syncSync();
  directory.closeSync();
}

function recovering(sync: boolean): CrashTest {
  return {
    tree: fileTree({ value: 'one' }),
    workload: (vfs, context) => {
      const file = vfs.openSync('/next.tmp', { write: true, create: true });
      writeFullySync(file, Buffer.from('two'), 0);
      file.syncSync();
      file.closeSync();
      vfs.renameSync('/next.tmp', '/next');
      syncRoot(vfs);
      context.mark('two');
    },
    recover: (vfs) => recoverFromNext(vfs, sync),
    check: (vfs, { marks }) => {
      const value = read(vfs, '/value');
      assert.ok(value === 'two' || (value === 'one' && !marks.includes('two')), `value ${value}`);
    },
  };
}

test('recovery that is not crash-safe passes without nested crashes and is found with them, at its line', async () => {
  const flat = await explore({ ...recovering(false), nested: 0 });
  assert.equal(flat.verdict, 'passed');
  const { verdict, findings, certificate } = await explore(recovering(false));
  assert.equal(verdict, 'found');
  assert.deepEqual([...new Set(findings.map(({ depth }) => depth))], [1]);
  assert.match(lineOf(findings[0]), /the write of recovery/);
  assert.ok((certificate.nested[0]?.recoveries ?? 0) > 0);
  assert.ok((certificate.nested[0]?.disksFailing ?? 0) > 0);
});

test('recovery that is crash-safe passes, also when its own recovery crashes', async () => {
  const { verdict, certificate } = await explore({ ...recovering(true), nested: 3 });
  assert.equal(verdict, 'passed');
  assert.deepEqual(
    certificate.nested.map(({ depth, complete }) => `${depth} ${complete}`),
    ['1 true', '2 true', '3 true'],
  );
  // Recovery from an interrupted recovery brings few new disks, and the deepest none.
  assert.ok((certificate.nested[0]?.recoveries ?? 0) > 0);
});
