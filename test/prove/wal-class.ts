/**
 * What can be said of a disk with a write-ahead log, so that recovery does the same on every disk of which it is said.
 * Recovery is two parts: the first reads and decides (`wal-inspection`), the second acts on that and reads good bytes
 * only. Of a segment's bytes the first part knows what a scan of them says, and which watermarks stand where: so that
 * is said, and the good bytes; and of everything else, the bytes. Files that only wait to be removed go unread, and a
 * link counts where another name that is read shares it. Each content is scanned once.
 */

import { runNow } from '../../src/durable/two-forms.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { scanSegment } from '../../src/wal/segment-scan.ts';
import { readWalPointer, WAL_POINTER_NAME } from '../../src/wal/wal-directory.ts';
import { WATERMARK_BYTES, watermarksIn } from '../../src/wal/watermark.ts';
import { onceFor, saidInFull, sortedEntries } from './disk-facts.ts';
import { digestOf } from './wide-judge.ts';

const SEGMENT = /^(\d{6,15})\.log$/;
/** What a recovery was writing, and what was to take the place of the pointer. */
const TEMPORARY = /^\d{6,15}\.tmp$|^\.holdfast-.*\.tmp$/;

/** For a log in `/log`. */
export function classOfWal({ root }: CrashedDisk): string {
  const parts = sortedEntries(root).map(([name, node]) => {
    const isLog = name === 'log' && node.kind === 'directory';
    return `${name}:${isLog ? saidOfLog(node) : saidInFull(node)}`;
  });
  return parts.join();
}

/** Names, links, and contents as far as they count. */
export function saidOfLog(directory: FileTreeDirectory): string {
  const first = firstSegment(directory);
  const read: [string, FileTreeNode][] = [];
  const unread = new Set<string>();
  for (const [name, node] of sortedEntries(directory)) {
    const number = Number(SEGMENT.exec(name)?.[1] ?? Infinity);
    const isOld = node.kind === 'file' && number < first;
    // One of them, or more.
    if (isOld || TEMPORARY.test(name)) unread.add(`${isOld ? 'old' : 'tmp'} ${node.kind}`);
    else read.push([name, node]);
  }
  let text = `{${[...unread].join()};`;
  const inodes = read.map(([, { inode }]) => inode);
  for (const [place, [name, node]] of read.entries()) {
    const inode = inodes[place];
    const sharer = inode === undefined ? place : inodes.indexOf(inode);
    text += `${name}${sharer === place ? '' : `#${sharer}`}:${saidOf(name, node)},`;
  }
  return `${text}}`;
}

/** The first segment that counts; 0 where no pointer says which. */
function firstSegment({ entries }: FileTreeDirectory): number {
  const pointer = entries.get(WAL_POINTER_NAME);
  if (pointer?.kind !== 'file') return 0;
  const { content } = pointer;
  return onceFor(content, 'first segment', () => {
    try {
      const vfs = diskWith(WAL_POINTER_NAME, content);
      return runNow(readWalPointer(vfs, '/'))?.first ?? 0;
    } catch {
      // Recovery refuses it.
      return 0;
    }
  });
}

function saidOf(name: string, node: FileTreeNode): string {
  if (node.kind !== 'file' || !SEGMENT.test(name)) return saidInFull(node);
  const { content } = node;
  return onceFor(content, 'segment', () => digestOf(Buffer.from(scanned(content))));
}

function scanned(content: Uint8Array): string {
  const vfs = diskWith('s', content);
  const { path: _, size, usedEnd, problem, ...scan } = runNow(scanSegment(vfs, '/s', 'ours'));
  const { endOffset } = scan;
  // Watermarks among the good bytes too: a segment of another place is searched from its beginning.
  const from = Math.max(0, endOffset - WATERMARK_BYTES);
  const found = [...watermarksIn(content.subarray(from))];
  const facts = [scan, size > endOffset, usedEnd > endOffset, problem?.certain, found];
  return JSON.stringify(facts) + digestOf(content.subarray(0, endOffset));
}

function diskWith(name: string, content: Uint8Array): MemoryVfs {
  const file = { kind: 'file', mode: 0o644, content } as const;
  return MemoryVfs.fromTree({ kind: 'directory', mode: 0o755, entries: new Map([[name, file]]) });
}
