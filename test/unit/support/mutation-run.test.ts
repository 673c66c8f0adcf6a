import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CrashTest } from '../../../src/lab/suite/crash-test.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { mutationRun, placeMutationRun, survivorsOf } from '../../support/mutation-run.ts';
import type { PlaceRunOptions } from '../../support/mutation-run.ts';

function create(vfs: Vfs, path: string): void {
  vfs.openSync(path, { write: true, create: true }).closeSync();
}

function syncRoot(vfs: Vfs): void {
  const directory = vfs.openDirectorySync('/');
  directory.syncSync();
  directory.closeSync();
}

function exists(vfs: Vfs, path: string): boolean {
  return vfs.readDirectorySync('/').some(({ name }) => `/${name}` === path);
}

/** Makes a file and promises it; syncs so many times. */
function promising(syncs: number): CrashTest {
  return {
    models: ['ext4', 'posix'],
    workload: (vfs, { mark }) => {
      create(vfs, '/a');
      for (let sync = 0; sync < syncs; sync++) syncRoot(vfs);
      mark('/a');
    },
    check: (vfs, { marks }) => assert.ok(marks.every((path) => exists(vfs, path))),
  };
}

test('a sync that is needed is caught when it is dropped', async () => {
  const mutants = await mutationRun(promising(1));
  assert.deepEqual(
    mutants.map(({ kind, nth, caughtBy }) => `${kind} ${nth} ${caughtBy}`),
    ['dropped 1 ext4', 'postponed 1 ext4'],
  );
});

test('of two syncs of the same thing each alone survives being dropped', async () => {
  const mutants = await mutationRun(promising(2), { kinds: ['dropped'] });
  assert.equal(mutants.length, 2);
  assert.deepEqual(survivorsOf(mutants), ['dropped: fsync of / in the program']);
});

test('a sync that only has to come sometime survives being late, and is caught when dropped', async () => {
  const mutants = await mutationRun({
    ...promising(0),
    workload: (vfs, { mark }) => {
      create(vfs, '/a');
      syncRoot(vfs);
      create(vfs, '/b');
      mark('/a');
    },
  });
  assert.deepEqual(
    mutants.map(({ kind, caughtBy }) => `${kind} ${caughtBy}`),
    ['dropped ext4', 'postponed null'],
  );
});

test('a program that fails by itself is no base for mutants', async () => {
  await assert.rejects(mutationRun(promising(0)), /fails without any mutation/);
});

test('durable writes and recoveries are mutated too', async () => {
  const write = (vfs: Vfs): void => {
    const file = vfs.openSync('/a', { write: true, sync: 'data' });
    file.writeSync(Buffer.from('x'), 0, 1, 0);
    file.closeSync();
  };
  const base: CrashTest = {
    models: ['ext4'],
    workload: (vfs, { mark }) => {
      create(vfs, '/a');
      syncRoot(vfs);
      write(vfs);
      mark('x');
    },
    check: (vfs, { marks }) => assert.ok(marks.length === 0 || vfs.statSync('/a').size === 1),
  };
  const [mutant] = await mutationRun(base, { kinds: ['opened without sync'] });
  assert.equal(mutant?.caughtBy, 'ext4');
  const recovering: CrashTest = {
    ...promising(1),
    workload: () => undefined,
    recover: (vfs, { marks, mark }) => {
      if (marks.length > 0) assert.ok(exists(vfs, '/a'), 'what recovery had promised is gone');
      create(vfs, '/a');
      syncRoot(vfs);
      mark('/a');
    },
    check: () => undefined,
  };
  const mutants = await mutationRun(recovering, { program: 'recover', kinds: ['dropped'] });
  assert.deepEqual(
    mutants.map(({ caughtBy }) => caughtBy),
    ['ext4'],
  );
});

test('removals in a wrong order are caught where the order matters', async () => {
  const [mutant] = await mutationRun(
    {
      models: ['ext4'],
      workload: (vfs, { mark }) => {
        for (const path of ['/1', '/2']) create(vfs, path);
        syncRoot(vfs);
        mark('both');
        vfs.unlinkSync('/1');
        syncRoot(vfs);
        vfs.unlinkSync('/2');
      },
      check: (vfs, { marks }) => {
        const first = exists(vfs, '/1') && !exists(vfs, '/2');
        assert.ok(marks.length === 0 || !first, 'the second went before the first');
      },
    },
    { kinds: ['reordered'] },
  );
  assert.equal(mutant?.what, 'unlink of /1 in the program');
  assert.equal(mutant.caughtBy, 'ext4');
});

test('the calls of a place go together, and a place that is known is not tried', async () => {
  const twice = promising(2);
  const tried: string[] = [];
  const options: PlaceRunOptions = {
    kinds: ['dropped', 'postponed'],
    placeOf: (what) => what.replace('/', 'ROOT'),
    onMutant: ({ kind }) => tried.push(kind),
  };
  const mutants = await placeMutationRun(twice, options);
  const what = 'fsync of ROOT in the program';
  assert.deepEqual(mutants, [
    { kind: 'dropped', what, caughtBy: 'ext4' },
    { kind: 'postponed', what, caughtBy: 'ext4' },
  ]);
  assert.deepEqual(tried, ['dropped', 'postponed']);
  const skip: PlaceRunOptions['skip'] = (mutant) => mutant.what === what;
  assert.deepEqual(await placeMutationRun(promising(0), { ...options, skip }), []);
});

test('the places of a recovery are those of all disks that it meets', async () => {
  const recovering: CrashTest = {
    ...promising(1),
    workload: (vfs) => create(vfs, '/a'),
    recover: (vfs, { mark, marks }) => {
      if (marks.length > 0) assert.ok(exists(vfs, '/b'), 'what recovery had promised is gone');
      if (!exists(vfs, '/a')) return;
      create(vfs, '/b');
      syncRoot(vfs);
      mark('/b');
    },
    check: () => undefined,
  };
  const options = { program: 'recover', kinds: ['dropped'], placeOf: String } as const;
  const mutants = await placeMutationRun(recovering, options);
  assert.deepEqual(
    mutants.map(({ caughtBy }) => caughtBy),
    ['ext4'],
  );
});
