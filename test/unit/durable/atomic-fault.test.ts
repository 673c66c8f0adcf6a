/** Every call of a replacement fails once, in every way: old or new, never a mixture. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileChangeError } from '../../../src/base/errors.ts';
import { AtomicFile } from '../../../src/durable/atomic-file.ts';
import { INLINE_BYTES_MAX } from '../../../src/durable/atomic-replacement.ts';
import { temporaryPath } from '../../../src/durable/temporary-file.ts';
import type { FileTreeDirectory } from '../../../src/vfs/file-tree.ts';
import type { FaultKind } from '../../../src/vfs/fault.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { DEAD, FORMS, put, rigSystem } from '../../support/atomic-rig.ts';
import { FAULT_KINDS, faultLoop } from '../../support/fault-loop.ts';
import { utf8 } from '../../support/vfs-helpers.ts';

const OLD = 'the old file';
const NEW = 'the new file, which is longer';
const LEFT_BY_THE_DEAD = temporaryPath('/', DEAD, '1'.repeat(16));
const KINDS: readonly FaultKind[] = [...FAULT_KINDS, 'EACCES', 'ENFILE', 'ENOMEM', 'EROFS'];

function text(vfs: Vfs, path: string): string {
  return new TextDecoder().decode(readWholeFileSync(vfs, path));
}

/** What a power cut now would leave, as a file system. */
function after(tree: FileTreeDirectory): MemoryVfs {
  return MemoryVfs.fromTree(tree);
}

interface Case {
  readonly name: string;
  readonly platform: string;
  readonly content: Uint8Array;
  /** What is at '/f' before; null for a new file. */
  readonly old: string | null;
  readonly sync: boolean;
}

const CASES: readonly Case[] = [
  { name: 'a file replaced', platform: 'linux', content: utf8(NEW), old: OLD, sync: true },
  { name: 'a new file', platform: 'linux', content: utf8(NEW), old: null, sync: true },
  {
    name: 'a large file',
    platform: 'linux',
    content: new Uint8Array(INLINE_BYTES_MAX * 3).fill(120),
    old: OLD,
    sync: true,
  },
  { name: 'on Windows', platform: 'win32', content: utf8(NEW), old: OLD, sync: true },
  { name: 'without fsync', platform: 'linux', content: utf8(NEW), old: OLD, sync: false },
];

for (const form of FORMS) {
  for (const { name, platform, content, old, sync } of CASES) {
    test(`${form}, ${name}: whichever call fails, the file is the old one or the new one`, async () => {
      const wanted = new TextDecoder().decode(content);
      const outcomes = new Set<string>();
      const failed = await faultLoop(
        async ({ vfs }) => {
          const atomic = new AtomicFile(rigSystem(vfs, platform));
          let outcome = 'success';
          try {
            if (form === 'asynchronous') await atomic.replace('/f', content, { sync });
            else atomic.replaceSync('/f', content, { sync });
          } catch (error) {
            assert.ok(error instanceof FileChangeError, String(error));
            outcome = error.outcome;
          }
          outcomes.add(outcome);
          const now = vfs.unwrap();
          const found = (() => {
            try {
              return text(now, '/f');
            } catch {
              // A file that was not there before may not be there now.
              return null;
            }
          })();
          if (outcome === 'success') assert.equal(found, wanted);
          else if (outcome === 'old') assert.equal(found, old);
          else assert.ok(found === old || found === wanted);

          const cut = after(vfs.crash());
          const names = cut.readDirectorySync('/').map((entry) => entry.name);
          // What a dead process left may stay; nothing of ours does.
          assert.deepEqual(
            names.filter((each) => each !== 'f' && `/${each}` !== LEFT_BY_THE_DEAD),
            [],
          );
          if (found !== null && sync) assert.ok([old, wanted].includes(text(cut, '/f')));
        },
        {
          kinds: KINDS,
          create: () => {
            const memory = new MemoryVfs();
            put(memory, LEFT_BY_THE_DEAD, 'left');
            if (old !== null) put(memory, '/f', old, 0o666);
            return memory;
          },
        },
      );
      for (const kind of ['EIO', 'ENOSPC', 'EMFILE', 'short-write'] as const) {
        assert.ok((failed.get(kind) ?? 0) > 0, kind);
      }
      assert.ok(outcomes.has('success') && outcomes.has('old'));
      assert.equal(outcomes.has('unknown'), sync || platform === 'win32');
    });
  }

  test(`${form}: when everything fails from a call on, the old file is whole or the new one is`, async () => {
    await faultLoop(
      async ({ vfs }) => {
        const atomic = new AtomicFile(rigSystem(vfs));
        try {
          if (form === 'asynchronous') await atomic.replace('/f', utf8(NEW));
          else atomic.replaceSync('/f', utf8(NEW));
        } catch (error) {
          assert.ok(error instanceof FileChangeError, String(error));
          if (error.outcome === 'old') assert.equal(text(vfs.unwrap(), '/f'), OLD);
        }
        for (const dirty of ['lost', 'written'] as const) {
          assert.ok([OLD, NEW].includes(text(after(vfs.crash(dirty)), '/f')));
        }
      },
      {
        kinds: ['EIO', 'EROFS', 'ENOSPC'],
        fault: { times: Infinity },
        create: () => {
          const memory = new MemoryVfs();
          put(memory, '/f', OLD);
          return memory;
        },
      },
    );
  });
}
