/**
 * The logs of `test/golden/log/v1`, made again: each good and damaged log that the format document speaks of, as
 * files by name. With equal clocks equal bytes come out, so a change of the format shows as a difference.
 */

import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { LogOperation } from '../../src/wal/batch-format.ts';
import type { WalOptions } from '../../src/wal/wal-options.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { aloneWith } from './alone-options.ts';
import { ManualClock } from './manual-clock.ts';

export type Files = Map<string, Uint8Array>;

export interface GoldenLog {
  readonly name: string;
  make(): Promise<Files>;
}

const text = (characters: string): Uint8Array => Buffer.from(characters);
const put = (key: string, value: string): LogOperation => ({
  kind: 'put',
  key: text(key),
  value: text(value),
});
const remove = (key: string): LogOperation => ({ kind: 'delete', key: text(key) });

/** What a program leaves; it is killed at its end unless it closes the log. */
async function written(
  program: (log: WriteAheadLog) => Promise<unknown>,
  more: WalOptions = {},
): Promise<Files> {
  const vfs = new MemoryVfs();
  const alone = aloneWith(vfs, { clock: new ManualClock() });
  const log = await WriteAheadLog.open('/log', { ...alone, preallocate: false, ...more });
  await program(log);
  return filesOf(vfs.toTree());
}

function filesOf(root: FileTreeDirectory): Files {
  const directory = root.entries.get('log');
  const files: Files = new Map();
  if (directory?.kind !== 'directory') return files;
  for (const [name, node] of directory.entries) {
    if (node.kind === 'file' && !name.startsWith('holdfast-lock-')) files.set(name, node.content);
  }
  return files;
}

/** Two segments, closed; four records in the second, known to be durable. */
async function closed(): Promise<Files> {
  return await written(async (log) => {
    await log.append(put('a', '1'));
    await log.rotate();
    await log.append(put('b', '2'));
    await log.append(remove('a'));
    await log.append(text('opaque'));
    await log.appendBatch([put('c', '3'), remove('b'), put('c', '4')]);
    await log.close();
  });
}

async function notClosed(): Promise<Files> {
  return await written(async (log) => {
    await log.append(put('a', '1'));
    await log.append(put('b', '2'));
    await log.append(put('c', '3'), 'none');
  });
}

function changed(files: Files, name: string, change: (bytes: Buffer) => Uint8Array): Files {
  const before = files.get(name);
  if (before === undefined) throw new Error(`there is no ${name}`);
  return new Map(files).set(name, change(Buffer.from(before)));
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

const GOOD: readonly GoldenLog[] = [
  { name: 'empty', make: async () => await written((log) => log.close()) },
  { name: 'closed', make: closed },
  { name: 'not-closed', make: notClosed },
  {
    name: 'checkpoint-and-truncation',
    make: async () =>
      await written(async (log) => {
        await log.append(put('a', '1'));
        await log.rotate();
        const upTo = await log.append(put('b', '2'));
        await log.rotate();
        await log.checkpoint(upTo, text('all of it is in the table'));
        await log.truncate(upTo);
        await log.close();
      }),
  },
  {
    name: 'several-blocks',
    make: async () =>
      await written(async (log) => {
        await log.append(put('long', 'v'.repeat(33_000)));
        await log.append(put('short', 'w'));
        await log.close();
      }),
  },
  {
    name: 'zeros-written-ahead',
    make: async () => {
      const files = await notClosed();
      return changed(files, '000001.log', (bytes) => Buffer.concat([bytes, Buffer.alloc(4096)]));
    },
  },
  {
    name: 'foreign-file',
    make: async () => (await closed()).set('notes.txt', text('left alone\n')),
  },
];

const DAMAGED: readonly GoldenLog[] = [
  {
    name: 'torn-tail',
    make: async () => changed(await notClosed(), '000001.log', (bytes) => bytes.subarray(0, -3)),
  },
  {
    name: 'stale-tail',
    make: async () =>
      // The last group was torn in its middle, and what stands behind is a valid record of the lost suffix.
      changed(
        await written(async (log) => {
          await log.append(put('a', '1'));
          await Promise.all(
            [put('b', '2'), put('c', '3'), put('d', '4')].map((each) => log.append(each, 'none')),
          );
        }),
        '000001.log',
        (bytes) => flipped(bytes, bytes.length - 40),
      ),
  },
  {
    name: 'damaged-middle',
    make: async () => changed(await closed(), '000002.log', (bytes) => flipped(bytes, 60)),
  },
  {
    name: 'damaged-older-segment',
    make: async () => changed(await closed(), '000001.log', (bytes) => flipped(bytes, 45)),
  },
  {
    name: 'missing-segment',
    make: async () => {
      const files = await closed();
      files.delete('000001.log');
      return files;
    },
  },
  {
    name: 'missing-last-segment',
    make: async () => {
      const files = await closed();
      files.delete('000002.log');
      return files;
    },
  },
  {
    name: 'missing-pointer',
    make: async () => {
      const files = await closed();
      files.delete('holdfast-wal');
      return files;
    },
  },
  {
    name: 'damaged-pointer',
    make: async () =>
      changed(await closed(), 'holdfast-wal', (bytes) => flipped(bytes, bytes.length - 6)),
  },
  {
    name: 'duplicate-segment',
    make: async () => {
      const files = await closed();
      return files.set('000003.log', files.get('000002.log') ?? text(''));
    },
  },
  {
    name: 'interrupted-recovery',
    make: async () => (await notClosed()).set('000002.tmp', text('half a segment')),
  },
];

export const GOLDEN_LOGS: readonly GoldenLog[] = [...GOOD, ...DAMAGED];
