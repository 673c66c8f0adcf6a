/**
 * What can be said of a disk with a write-ahead log, so that recovery does the same on every disk of which it is said:
 * what `inspectWal` finds on it, the bytes that it calls good, and all names. Recovery is two parts: the first reads
 * and decides (`wal-inspection`), the second acts on what the first has said and reads good bytes only. So the first
 * part runs on every disk, and the second once for each answer.
 */

import { runNow } from '../../src/durable/two-forms.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { inspectWal, type WalInspection } from '../../src/wal/wal-inspection.ts';
import { segmentPath } from '../../src/wal/wal-directory.ts';
import { digestOf } from './wide-exploration.ts';

const DIRECTORY = '/log';

/** Digests of the first bytes of a content. */
const digests = new WeakMap<Uint8Array, Map<number, string>>();

/** For the log in `/log`. */
export function classOfWal({ root }: CrashedDisk): string {
  let inspection: WalInspection;
  try {
    inspection = runNow(inspectWal(MemoryVfs.fromTree(root), DIRECTORY));
  } catch (error) {
    // No directory, no pointer, or one that is damaged: nothing is recovered, or all is begun anew.
    return `${String(error)} ${said(root, '', new Map())}`;
  }
  const { segments, empty, names, torn, damage, lost, lastSequence } = inspection;
  // Of these not all bytes count.
  const counts = new Map<string, number>();
  const scanned = segments.map((segment) => {
    const { number, limit, firstSequence, records, watermark, recordEnd, endOffset } = segment;
    counts.set(segment.path, endOffset);
    const longer = segment.size > endOffset;
    return [
      number,
      limit,
      firstSequence,
      segment.lastSequence,
      records,
      watermark,
      recordEnd,
      longer,
    ];
  });
  for (const number of names.segments) {
    const path = segmentPath(DIRECTORY, number);
    if (!counts.has(path)) counts.set(path, 0);
  }
  for (const name of names.temporaries) counts.set(`${DIRECTORY}/${name}`, 0);
  const facts = [
    scanned,
    empty.map(({ number }) => number),
    torn.length,
    lost.length,
    lastSequence,
  ];
  return `${JSON.stringify(facts)} ${String(damage)} ${said(root, '', counts)}`;
}

/** Names, and contents as far as they count. */
function said(node: FileTreeNode, path: string, counts: ReadonlyMap<string, number>): string {
  if (node.kind === 'symlink') return `l${node.target}`;
  if (node.kind === 'file') {
    const link = node.inode === undefined ? '' : `#${node.inode}`;
    return `${link}:${firstBytes(node.content, counts.get(path) ?? node.content.length)}`;
  }
  return `{${sortedEntries(node)
    .map(([name, child]) => `${name}${said(child, `${path}/${name}`, counts)}`)
    .join(',')}}`;
}

function sortedEntries({ entries }: FileTreeDirectory): [string, FileTreeNode][] {
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function firstBytes(content: Uint8Array, length: number): string {
  let known = digests.get(content);
  if (known === undefined) digests.set(content, (known = new Map()));
  let digest = known.get(length);
  if (digest === undefined) {
    digest = length === 0 ? '' : digestOf(content.subarray(0, length));
    known.set(length, digest);
  }
  return digest;
}
