import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileChangeError } from '../../../src/base/errors.ts';
import { DurableDirectory } from '../../../src/durable/durable-directory.ts';
import { changeNames, changeNamesSync } from '../../../src/durable/name-group.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { FORMS, put } from '../../support/atomic-rig.ts';
import type { Form } from '../../support/atomic-rig.ts';
import { FAULT_KINDS, faultLoop } from '../../support/fault-loop.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

function directoriesOn(vfs: Vfs, form: Form, platform = 'linux') {
  const rules = syncRulesFor(platform, 'node');
  const directory = new DurableDirectory(new SyncDispatch(vfs, rules), new ManualClock());
  const sync = form === 'synchronous';
  return {
    mkdir: async (path: string, mode?: number) =>
      sync ? directory.mkdirSync(path, mode) : directory.mkdir(path, mode),
    mkdirAll: async (path: string, mode?: number) =>
      sync ? directory.mkdirAllSync(path, mode) : directory.mkdirAll(path, mode),
    rename: async (from: string, to: string) =>
      sync ? directory.renameSync(from, to) : directory.rename(from, to),
    replace: async (from: string, to: string) =>
      sync ? directory.replaceSync(from, to) : directory.replace(from, to),
    rm: async (path: string, options?: { recursive?: boolean; force?: boolean }) =>
      sync ? directory.rmSync(path, options) : directory.rm(path, options),
  };
}

function rig(form: Form, platform?: string) {
  const memory = new MemoryVfs();
  const spy = new SpyVfs(memory);
  /** What changes and what syncs, in order, in words. */
  const story = (): string[] => {
    const words = spy.calls
      .filter(({ name }) =>
        /^(mkdir|rename|unlink|rmdir|open|file\.sync|directory\.sync)$/.test(name),
      )
      .map(({ name, path, target }) => [name, path, target].filter((each) => each).join(' '));
    spy.calls.length = 0;
    return words;
  };
  return { memory, spy, story, ...directoriesOn(spy, form, platform) };
}

function exists(vfs: Vfs, path: string): boolean {
  try {
    vfs.lstatSync(path);
    return true;
  } catch {
    // ENOENT: the only error of a file system in memory without faults.
    return false;
  }
}

/** Every name with what it is and holds. */
function picture(memory: MemoryVfs, directory = ''): string {
  const lines = memory.readDirectorySync(directory || '/').map(({ name, kind }) => {
    const path = `${directory}/${name}`;
    if (kind === 'directory') return `${path}/ ${picture(memory, path)}`;
    return `${path} ${Buffer.from(readWholeFileSync(memory, path)).toString()}`;
  });
  return lines.toSorted().join('\n');
}

for (const form of FORMS) {
  test(`${form}: a directory is made, and then its name is synced in its parent`, async () => {
    const { mkdir, story, memory } = rig(form);
    await mkdir('/a', 0o700);
    assert.deepEqual(story(), ['mkdir /a', 'directory.sync /']);
    assert.equal(memory.statSync('/a').mode, 0o700);
    await assert.rejects(mkdir('/a'), { code: 'EEXIST', outcome: 'old' });
    await assert.rejects(mkdir('/b/c'), { code: 'ENOENT', outcome: 'old' });
  });

  test(`${form}: a chain is made top down, each name synced before the next is made`, async () => {
    const { mkdirAll, story } = rig(form);
    assert.equal(await mkdirAll('/a/b/c'), '/a');
    assert.deepEqual(story(), [
      'mkdir /a',
      'directory.sync /',
      'mkdir /a/b',
      'directory.sync /a',
      'mkdir /a/b/c',
      'directory.sync /a/b',
    ]);
  });

  test(`${form}: of what was there already the lowest name is synced, since nobody may have`, async () => {
    const { mkdirAll, story, memory } = rig(form);
    memory.mkdirSync('/a');
    memory.mkdirSync('/a/b');
    assert.equal(await mkdirAll('/a/b/c'), '/a/b/c');
    assert.deepEqual(story(), ['directory.sync /a', 'mkdir /a/b/c', 'directory.sync /a/b']);
    assert.equal(await mkdirAll('/a/b/c'), undefined);
    assert.deepEqual(story(), ['directory.sync /a/b']);
  });

  test(`${form}: behind a link both the link and the directory it leads to get their names synced`, async () => {
    const { mkdirAll, story, memory } = rig(form);
    for (const path of ['/far', '/far/away', '/near']) memory.mkdirSync(path);
    memory.symlinkSync('/far/away', '/near/link');
    assert.equal(await mkdirAll('/near/link/new'), '/near/link/new');
    assert.deepEqual(story(), [
      'directory.sync /near',
      'directory.sync /far',
      'mkdir /near/link/new',
      'directory.sync /near/link',
    ]);
    assert.equal(await mkdirAll('/near/link/new/..'), undefined);
    assert.ok(story().includes('directory.sync /far'));
  });

  test(`${form}: a parent that may not be read does not stop what is below it`, async () => {
    const { mkdirAll, spy, memory } = rig(form);
    memory.mkdirSync('/a');
    spy.refuse('openDirectory', 'EACCES');
    await mkdirAll('/a/b');
    assert.ok(exists(memory, '/a/b'));
    spy.refuse('directory.sync', 'EIO');
    await assert.rejects(mkdirAll('/a/b/c'), { code: 'EIO', outcome: 'old' });
  });

  test(`${form}: something else in the way of a chain is told apart`, async () => {
    const { mkdirAll, memory } = rig(form);
    put(memory, '/f', '');
    await assert.rejects(mkdirAll('/f'), { code: 'EEXIST', outcome: 'old' });
    await assert.rejects(mkdirAll('/f/g'), { code: 'ENOTDIR', outcome: 'old' });
    memory.symlinkSync('/nowhere', '/link');
    await assert.rejects(mkdirAll('/link'), { code: 'EEXIST', outcome: 'old' });
  });

  test(`${form}: a chain that somebody else is making too is synced all the same`, async () => {
    const { mkdirAll, spy, memory, story } = rig(form);
    spy.refuse('mkdir', 'EEXIST', 1, true);
    assert.equal(await mkdirAll('/a/b'), '/a/b');
    assert.deepEqual(story(), ['mkdir /a', 'directory.sync /', 'mkdir /a/b', 'directory.sync /a']);
    assert.ok(exists(memory, '/a/b'));
  });

  test(`${form}: a chain of which a part was made has an unknown outcome`, async () => {
    const { mkdirAll, spy } = rig(form);
    spy.refuse('directory.sync', 'EIO');
    await assert.rejects(mkdirAll('/a/b'), { code: 'EIO', outcome: 'unknown', path: '/a/b' });
    spy.refuse('mkdir', 'ENOSPC');
    await assert.rejects(mkdirAll('/x/y'), { code: 'ENOSPC', outcome: 'old' });
  });

  test(`${form}: a rename syncs the new name's directory, then the old one's, each once`, async () => {
    const { rename, memory, story } = rig(form);
    memory.mkdirSync('/a');
    memory.mkdirSync('/b');
    put(memory, '/a/f', 'x');
    await rename('/a/f', '/b/g');
    assert.deepEqual(story(), ['rename /a/f /b/g', 'directory.sync /b', 'directory.sync /a']);
    await rename('/b/g', '/b/h');
    assert.deepEqual(story(), ['rename /b/g /b/h', 'directory.sync /b']);
    await assert.rejects(rename('/missing', '/b/h'), { code: 'ENOENT', outcome: 'old' });
    assert.ok(exists(memory, '/b/h'));
  });

  test(`${form}: a replace syncs the bytes before the name`, async () => {
    const { replace, memory, story } = rig(form);
    put(memory, '/f', 'new');
    put(memory, '/g', 'old');
    await replace('/f', '/g');
    assert.deepEqual(story(), ['open /f', 'file.sync /f', 'rename /f /g', 'directory.sync /']);
    memory.mkdirSync('/d');
    await replace('/d', '/e');
    assert.deepEqual(story(), ['rename /d /e', 'directory.sync /']);
  });

  test(`${form}: a replace whose bytes cannot be synced does not rename`, async () => {
    const { replace, memory, spy } = rig(form);
    put(memory, '/f', 'new');
    put(memory, '/g', 'old');
    spy.refuse('file.sync', 'EIO');
    await assert.rejects(replace('/f', '/g'), { code: 'EIO', outcome: 'old' });
    assert.equal(Buffer.from(readWholeFileSync(memory, '/g')).toString(), 'old');
  });

  test(`${form}: on Windows a renamed file is flushed under its new name, a directory is not`, async () => {
    const { replace, rename, mkdir, memory, story } = rig(form, 'win32');
    put(memory, '/f', 'x');
    await replace('/f', '/g');
    assert.deepEqual(story(), [
      'open /f',
      'file.sync /f',
      'rename /f /g',
      'open /g',
      'file.sync /g',
    ]);
    await mkdir('/d');
    await rename('/d', '/e');
    assert.deepEqual(story(), ['mkdir /d', 'rename /d /e']);
  });

  test(`${form}: what is removed is gone for good, also when it was gone already`, async () => {
    const { rm, memory, story } = rig(form);
    put(memory, '/f', 'x');
    memory.symlinkSync('/f', '/link');
    await rm('/link');
    assert.deepEqual(story(), ['unlink /link', 'directory.sync /']);
    assert.ok(exists(memory, '/f'));
    await rm('/f');
    assert.deepEqual(story(), ['unlink /f', 'directory.sync /']);
    await assert.rejects(rm('/f'), { code: 'ENOENT', outcome: 'old' });
    assert.deepEqual(story(), []);
    await rm('/f', { force: true });
    assert.deepEqual(story(), ['directory.sync /']);
    await rm('/missing/f', { force: true });
    assert.deepEqual(story(), []);
  });

  test(`${form}: a directory goes with all that is in it, links not followed, with one sync`, async () => {
    const { rm, memory, story } = rig(form);
    for (const path of ['/a', '/a/b', '/kept']) memory.mkdirSync(path);
    for (const path of ['/a/f', '/a/b/g', '/kept/h']) put(memory, path, 'x');
    memory.symlinkSync('/kept', '/a/link');
    await assert.rejects(rm('/a'), { code: 'EISDIR', outcome: 'old' });
    await rm('/a', { recursive: true });
    assert.equal(exists(memory, '/a'), false);
    assert.ok(exists(memory, '/kept/h'));
    assert.deepEqual(
      story().filter((each) => each.startsWith('directory.sync')),
      ['directory.sync /'],
    );
  });

  test(`${form}: a directory whose parent cannot be opened keeps all that is in it`, async () => {
    const { rm, memory, spy } = rig(form);
    memory.mkdirSync('/a');
    put(memory, '/a/f', 'x');
    spy.refuse('openDirectory', 'EMFILE');
    await assert.rejects(rm('/a', { recursive: true }), { code: 'EMFILE', outcome: 'old' });
    assert.ok(exists(memory, '/a/f'));
  });

  test(`${form}: what others remove at the same time is no error`, async () => {
    const { rm, memory, spy } = rig(form);
    memory.mkdirSync('/a');
    put(memory, '/a/f', 'x');
    memory.mkdirSync('/a/d');
    spy.refuse('unlink', 'ENOENT', 1, true);
    spy.refuse('rmdir', 'ENOENT', 1, true);
    await rm('/a', { recursive: true });
    assert.equal(exists(memory, '/a'), false);
  });

  test(`${form}: after a failed sync nobody knows, after a refusal nothing has changed`, async () => {
    const { rm, rename, memory, spy } = rig(form);
    put(memory, '/f', 'x');
    spy.refuse('directory.sync', 'EIO');
    await assert.rejects(rename('/f', '/g'), { code: 'EIO', outcome: 'unknown' });
    spy.refuse('directory.sync', 'EIO');
    await assert.rejects(rm('/g'), { code: 'EIO', outcome: 'unknown' });
    put(memory, '/f', 'x');
    spy.refuse('openDirectory', 'EMFILE');
    await assert.rejects(rename('/f', '/g'), { code: 'EMFILE', outcome: 'old' });
    spy.refuse('rename', 'ENOSPC');
    await assert.rejects(rename('/f', '/g'), { code: 'ENOSPC', outcome: 'old' });
    spy.refuse('rename', 'EIO');
    await assert.rejects(rename('/f', '/g'), { code: 'EIO', outcome: 'unknown' });
    assert.ok(exists(memory, '/f'));
  });

  test(`${form}: a group of changes syncs each directory once, after all of them`, async () => {
    const { memory, spy, story } = rig(form);
    for (const path of ['/a', '/b']) memory.mkdirSync(path);
    for (const path of ['/a/f', '/a/g', '/b/h']) put(memory, path, 'x');
    const dispatch = new SyncDispatch(spy, syncRulesFor('linux', 'node'));
    if (form === 'asynchronous') {
      await changeNames(dispatch, async (names) => {
        await names.rename('/a/f', '/b/f');
        await names.unlink('/a/g');
        await names.unlink('/b/h');
        await names.mkdir('/a/d');
      });
    } else {
      changeNamesSync(dispatch, (names) => {
        names.renameSync('/a/f', '/b/f');
        names.unlinkSync('/a/g');
        names.unlinkSync('/b/h');
        names.mkdirSync('/a/d');
      });
    }
    assert.deepEqual(story(), [
      'rename /a/f /b/f',
      'unlink /a/g',
      'unlink /b/h',
      'mkdir /a/d',
      'directory.sync /b',
      'directory.sync /a',
    ]);
    assert.equal(spy.names.length, 0);
  });

  test(`${form}: whichever call of a change fails, the outcome that is told is true`, async () => {
    const prepare = (): MemoryVfs => {
      const memory = new MemoryVfs();
      for (const path of ['/a', '/b', '/tree', '/tree/d']) memory.mkdirSync(path);
      for (const path of ['/a/f', '/b/g', '/tree/f', '/tree/d/f']) put(memory, path, path);
      return memory;
    };
    const changes: Readonly<
      Record<string, (on: ReturnType<typeof directoriesOn>) => Promise<unknown>>
    > = {
      mkdir: (on) => on.mkdir('/a/new'),
      mkdirAll: (on) => on.mkdirAll('/a/x/y'),
      rename: (on) => on.rename('/a/f', '/b/g'),
      replace: (on) => on.replace('/a/f', '/b/g'),
      rm: (on) => on.rm('/b/g'),
      'rm of a tree': (on) => on.rm('/tree', { recursive: true }),
    };
    const before = picture(prepare());
    for (const [name, change] of Object.entries(changes)) {
      const seen = new Set<string>();
      const clean = prepare();
      await change(directoriesOn(clean, form));
      const done = picture(clean);
      assert.notEqual(done, before);
      await faultLoop(
        async ({ vfs }) => {
          let outcome = 'success';
          try {
            await change(directoriesOn(vfs, form));
          } catch (error) {
            assert.ok(error instanceof FileChangeError, `${name}: ${String(error)}`);
            outcome = error.outcome;
          }
          seen.add(outcome);
          const now = picture(vfs.unwrap() as MemoryVfs);
          if (outcome === 'success') assert.equal(now, done, name);
          if (outcome === 'old') assert.equal(now, before, name);
        },
        { create: prepare, kinds: [...FAULT_KINDS, 'EACCES'] },
      );
      assert.deepEqual([...seen].toSorted(), ['old', 'success', 'unknown'], name);
    }
  });
}
