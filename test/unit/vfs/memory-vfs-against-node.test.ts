/**
 * Random calls on the machine's file system and on `MemoryVfs`, side by side: every outcome and
 * every listing must be equal. On Linux only, because the memory file system answers as Linux does.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { errorCode } from '../../../src/vfs/errno.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { FileStat, OpenOptions, Vfs, VfsFile } from '../../../src/vfs/vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A call on a vfs below a prefix. Handles are in the list, open or closed. */
type Step = (vfs: Vfs, prefix: string, handles: VfsFile[]) => unknown;

const NAMES = 'a b d d/a d/d d/d/a l d/l l/a a/ d/ l/ . d/.. x/a';
const path = fc.constantFrom(...NAMES.split(' '));
const linkText = fc.constantFrom('a', 'd', 'd/a', '../a', '../d', 'l', 'missing', '.');
const size = fc.integer({ min: 0, max: 40 });

/** What must be equal. Owner, times and directory sizes belong to the file system. */
function comparable(stat: FileStat): unknown {
  const { kind, mode, linkCount } = stat;
  return kind === 'file' ? [kind, stat.size, mode, linkCount] : kind;
}

const openOptions: fc.Arbitrary<OpenOptions> = fc.record(
  {
    read: fc.constant(true),
    write: fc.boolean(),
    append: fc.boolean(),
    create: fc.boolean(),
    exclusive: fc.boolean(),
    truncate: fc.boolean(),
    noFollow: fc.boolean(),
  },
  { requiredKeys: [] },
);

const steps: fc.Arbitrary<{ text: string; run: Step }> = fc.oneof(
  fc.tuple(path, openOptions).map(([name, options]) => ({
    text: `open ${name} ${JSON.stringify(options)}`,
    run: (vfs: Vfs, prefix: string, handles: VfsFile[]): unknown =>
      handles.push(vfs.openSync(prefix + name, options)),
  })),
  fc.tuple(fc.nat(4), size, size).map(([index, length, position]) => ({
    text: `write ${index} ${length}@${position}`,
    run: (_: Vfs, __: string, handles: VfsFile[]): unknown =>
      handles[index]?.writeSync(new Uint8Array(length).fill(65 + length), 0, length, position),
  })),
  fc.tuple(fc.nat(4), size).map(([index, position]) => ({
    text: `read ${index} @${position}`,
    run: (_: Vfs, __: string, handles: VfsFile[]): unknown => {
      const buffer = new Uint8Array(50);
      return [handles[index]?.readSync(buffer, 1, 49, position), buffer];
    },
  })),
  fc.tuple(fc.nat(4), size).map(([index, bytes]) => ({
    text: `truncate ${index} ${bytes}`,
    run: (_: Vfs, __: string, handles: VfsFile[]): unknown => handles[index]?.truncateSync(bytes),
  })),
  fc.nat(4).map((index) => ({
    text: `close ${index}`,
    run: (_: Vfs, __: string, handles: VfsFile[]): unknown => handles[index]?.closeSync(),
  })),
  fc.nat(4).map((index) => ({
    text: `fstat ${index}`,
    run: (_: Vfs, __: string, handles: VfsFile[]): unknown => {
      const file = handles[index];
      return file === undefined ? null : comparable(file.statSync());
    },
  })),
  fc.tuple(path, path).map(([from, to]) => ({
    text: `rename ${from} ${to}`,
    run: (vfs: Vfs, prefix: string): unknown => vfs.renameSync(prefix + from, prefix + to),
  })),
  fc.tuple(path, path).map(([from, to]) => ({
    text: `link ${from} ${to}`,
    run: (vfs: Vfs, prefix: string): unknown => vfs.linkSync(prefix + from, prefix + to),
  })),
  fc.tuple(linkText, path).map(([text, name]) => ({
    text: `symlink ${text} ${name}`,
    run: (vfs: Vfs, prefix: string): unknown => vfs.symlinkSync(text, prefix + name),
  })),
  fc.tuple(fc.constantFrom('mkdir', 'rmdir', 'unlink'), path).map(([call, name]) => ({
    text: `${call} ${name}`,
    run: (vfs: Vfs, prefix: string): unknown => {
      if (call === 'mkdir') return vfs.mkdirSync(prefix + name);
      return call === 'rmdir' ? vfs.rmdirSync(prefix + name) : vfs.unlinkSync(prefix + name);
    },
  })),
  fc
    .tuple(fc.constantFrom('stat', 'lstat', 'readLink', 'realpath', 'list'), path)
    .map(([call, name]) => ({
      text: `${call} ${name}`,
      run: (vfs: Vfs, prefix: string): unknown => {
        if (call === 'stat') return comparable(vfs.statSync(prefix + name));
        if (call === 'lstat') return comparable(vfs.lstatSync(prefix + name));
        if (call === 'readLink') return vfs.readLinkSync(prefix + name);
        if (call === 'realpath')
          return vfs.realpathSync(prefix + name).slice(prefix.length - '/r/'.length);
        return listing(vfs, prefix + name);
      },
    })),
);

function listing(vfs: Vfs, directory: string): string[] {
  return vfs
    .readDirectorySync(directory)
    .map(({ name, kind }) => `${kind} ${name}`)
    .toSorted();
}

function outcome(step: Step, vfs: Vfs, prefix: string, handles: VfsFile[]): unknown {
  try {
    return step(vfs, prefix, handles);
  } catch (error) {
    // Errors are part of what is compared; one without a code is a TypeError for wrong arguments.
    return errorCode(error) ?? (error instanceof TypeError ? 'TypeError' : error);
  }
}

/** Everything below a directory, as text. */
function dump(vfs: Vfs, directory: string): string[] {
  const lines: string[] = [];
  for (const line of listing(vfs, directory)) {
    const [kind = '', name = ''] = line.split(' ');
    const at = `${directory}${name}`;
    if (kind === 'file') lines.push(`${line} = ${String(readWholeFileSync(vfs, at))}`);
    else if (kind === 'symlink') lines.push(`${line} -> ${vfs.readLinkSync(at)}`);
    else lines.push(line, ...dump(vfs, `${at}/`).map((inner) => `  ${inner}`));
  }
  return lines;
}

/** Something to work on, because most random calls on an empty directory fail. */
function furnish(vfs: Vfs, prefix: string, handles: VfsFile[]): void {
  vfs.mkdirSync(prefix);
  vfs.mkdirSync(`${prefix}d`);
  vfs.mkdirSync(`${prefix}d/d`);
  vfs.symlinkSync('d', `${prefix}l`);
  for (const name of ['a', 'd/a', 'b']) {
    const file = vfs.openSync(prefix + name, { read: true, write: true, create: true });
    file.writeSync(new TextEncoder().encode(name.repeat(9)), 0, name.length * 9, 0);
    handles.push(file);
  }
}

const skip = process.platform === 'linux' ? {} : { skip: 'MemoryVfs answers as Linux does' };

describe('MemoryVfs against the machine', () => {
  it('answers every sequence of calls as Linux does', skip, (t) => {
    const base = temporaryDirectory(t);
    let run = 0;
    fc.assert(
      fc.property(fc.array(steps, { minLength: 10, maxLength: 40, size: 'max' }), (sequence) => {
        run++;
        // One level down, because links may lead out by one.
        const prefix = `${base}/${run}/r/`;
        nodeVfs.mkdirSync(`${base}/${run}`);
        const memory = new MemoryVfs();
        memory.mkdirSync('/top');
        const nodeHandles: VfsFile[] = [];
        const memoryHandles: VfsFile[] = [];
        furnish(nodeVfs, prefix, nodeHandles);
        furnish(memory, '/top/r/', memoryHandles);
        for (const { text, run: step } of sequence) {
          const expected = outcome(step, nodeVfs, prefix, nodeHandles);
          assert.deepEqual(outcome(step, memory, '/top/r/', memoryHandles), expected, text);
          // Trees taken in between must neither disturb later calls nor be disturbed.
          if (text.startsWith('fstat')) memory.toTree();
        }
        const expected = dump(nodeVfs, prefix);
        assert.deepEqual(dump(memory, '/top/r/'), expected);
        assert.deepEqual(dump(MemoryVfs.fromTree(memory.toTree()), '/top/r/'), expected);
        for (const file of nodeHandles) outcome(() => file.closeSync(), nodeVfs, '', []);
      }),
      { numRuns: 200 },
    );
  });
});
