import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import type { Operation, Trace } from '../../../../src/lab/record/operation.ts';
import { RecordingVfs } from '../../../../src/lab/record/recording-vfs.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';
import { NodeVfs } from '../../../../src/vfs/node-vfs.ts';
import type { Vfs } from '../../../../src/vfs/vfs.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function brief(operation: Operation): string {
  return `${operation.kind} ${operation.path}${operation.error ?? ''}`.trim();
}

const START = treeOf({ 'a.json': 'old', 'logs/': '' });

function recordInMemory(): RecordingVfs {
  return new RecordingVfs(MemoryVfs.fromTree(START), { tree: START });
}

async function replace(vfs: Vfs, root: string): Promise<void> {
  const file = await vfs.open(`${root}/tmp`, { write: true, create: true, exclusive: true });
  await file.write(Buffer.from('new!'), 0, 3, 0);
  await file.sync();
  await file.close();
  await vfs.rename(`${root}/tmp`, `${root}/a.json`);
  const directory = await vfs.openDirectory(`${root}/.`);
  await directory.sync();
  await directory.close();
}

const REPLACED = ['create tmp', 'write tmp', 'sync tmp', 'close tmp', 'rename a.json', 'sync .'];

test('an atomic replace in memory is recorded call by call', async () => {
  const vfs = recordInMemory();
  await replace(vfs, '');
  vfs.mark('saved');
  const trace = vfs.finish();
  assert.deepEqual(trace.operations.map(brief), [...REPLACED, 'mark']);
  const write = trace.operations.find((operation) => operation.kind === 'write');
  assert.ok(write?.kind === 'write');
  assert.equal(Buffer.from(trace.contents.get(write.content) ?? []).toString(), 'new');
});

test('a real directory is recorded in the same way', async (t) => {
  const root = temporaryDirectory(t);
  fs.writeFileSync(path.join(root, 'a.json'), 'old');
  const vfs = new RecordingVfs(new NodeVfs(), { root });
  await replace(vfs, root);
  assert.deepEqual(vfs.finish().operations.map(brief), REPLACED);
});

test('writes through a file that was opened to append are told as appends', async () => {
  const vfs = recordInMemory();
  const log = await vfs.open('/log', { append: true, create: true });
  const other = await vfs.open('/log', { write: true });
  const bytes = Buffer.from('ab');
  await Promise.all([log.write(bytes, 0, 2, 0), log.write(bytes, 0, 1, 0)]);
  await other.write(bytes, 0, 1, 0);
  await log.close();
  await other.close();
  const writes = vfs.finish().operations.filter((one) => one.kind === 'write');
  assert.deepEqual(
    writes.map(({ offset, length, append }) => ({ offset, length, append })),
    [
      { offset: 0, length: 2, append: true },
      { offset: 2, length: 1, append: true },
      { offset: 0, length: 1, append: undefined },
    ],
  );
});

test('blocking calls are recorded like the others', () => {
  const vfs = recordInMemory();
  vfs.mkdirSync('/d', 0o700);
  const file = vfs.openSync('/d/f', { write: true, create: true, append: true, sync: 'data' });
  file.writeSync(Buffer.from('abc'), 0, 3, 0);
  file.writeSync(Buffer.from('d'), 0, 1, 0);
  file.truncateSync(1);
  file.datasyncSync();
  file.chmodSync(0o600);
  file.closeSync();
  vfs.linkSync('/d/f', '/d/g');
  vfs.unlinkSync('/d/f');
  vfs.symlinkSync('g', '/d/s');
  vfs.unlinkSync('/d/s');
  vfs.chmodSync('/d/g', 0o640);
  vfs.renameSync('/d/g', '/g');
  vfs.rmdirSync('/d');
  const { operations } = vfs.finish();
  assert.deepEqual(operations.map(brief), [
    'create d',
    'create d/f',
    'write d/f',
    'write d/f',
    'truncate d/f',
    'sync d/f',
    'attribute d/f',
    'close d/f',
    'link d/g',
    'unlink d/f',
    'create d/s',
    'unlink d/s',
    'attribute d/g',
    'rename g',
    'unlink d',
  ]);
  const writes = operations.filter((operation) => operation.kind === 'write');
  assert.deepEqual(
    writes.map(({ offset, durable }) => [offset, durable]),
    [
      [0, 'data'],
      [3, 'data'],
    ],
  );
  const modes = operations.filter((operation) => operation.kind === 'attribute');
  assert.deepEqual(
    modes.map(({ value }) => value),
    ['600', '640'],
  );
});

function lineOf(trace: Trace, kind: Operation['kind']): string {
  const operation = trace.operations.find((one) => one.kind === kind);
  return trace.stacks[operation?.stack ?? -1]?.[0]?.function ?? 'no stack';
}

test('each operation has the stack of the code that asked for it, without the recorder', async () => {
  const vfs = recordInMemory();
  async function openIt(): Promise<void> {
    const file = await vfs.open('/a.json', { write: true });
    await writeIt(file);
  }
  async function writeIt(file: Awaited<ReturnType<Vfs['open']>>): Promise<void> {
    await file.write(Buffer.from('x'), 0, 1, 0);
  }
  await openIt();
  const trace = vfs.finish();
  assert.equal(lineOf(trace, 'write'), 'writeIt');
  const files = trace.stacks.flat().map((frame) => frame.file);
  assert.ok(
    files.every((file) => file === import.meta.filename),
    files.join('\n'),
  );
});

test('calls that are not awaited overlap, and those that never return have no end', async () => {
  const vfs = recordInMemory();
  const file = await vfs.open('/a.json', { write: true });
  const write = file.write(Buffer.from('x'), 0, 1, 0);
  const sync = file.sync();
  await Promise.all([write, sync]);
  const last = file.sync();
  const [first, second, third] = vfs.finish().operations;
  await last;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.ok(first.end !== null && second.start < first.end);
  assert.equal(third.end, null);
});

test('a failed sync is recorded as failed, a failed lookup not at all', async () => {
  const vfs = recordInMemory();
  await assert.rejects(vfs.open('/missing', { read: true }), { code: 'ENOENT' });
  await assert.rejects(vfs.rename('/missing', '/x'), { code: 'ENOENT' });
  const file = await vfs.open('/a.json', { read: true });
  await file.close();
  await assert.rejects(file.sync());
  assert.deepEqual(vfs.finish().operations, []);
});

test('a directory that a rename left under both names is two, of the same files', () => {
  const file = { kind: 'file', mode: 0o644, content: Buffer.from('old'), inode: 3 } as const;
  const moved = {
    kind: 'directory',
    mode: 0o755,
    entries: new Map([['f', file]]),
    inode: 2,
  } as const;
  const entries = new Map([
    ['from', moved],
    ['to', moved],
  ]);
  const tree = { kind: 'directory', mode: 0o755, entries } as const;
  const vfs = new RecordingVfs(MemoryVfs.fromTree(tree), { tree });
  vfs.unlinkSync('/from/f');
  vfs.rmdirSync('/from');
  const left = vfs.openSync('/to/f', { write: true });
  left.syncSync();
  left.closeSync();
  const { operations } = vfs.finish();
  assert.deepEqual(operations.map(brief), [
    'unlink from/f',
    'unlink from',
    'sync to/f',
    'close to/f',
  ]);
  const [unlinked, , synced] = operations;
  assert.ok(unlinked?.kind === 'unlink' && synced?.kind === 'sync');
  assert.equal(synced.inode, unlinked.inode);
});
