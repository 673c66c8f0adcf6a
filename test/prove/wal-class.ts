/**
 * What can be said of a disk with a write-ahead log, so that recovery does the same on every disk of which it is said.
 * Recovery is two parts: the first reads and decides (`wal-inspection`), the second acts on that and reads good bytes
 * only. Of a segment's bytes the first part knows what a scan of them says, and which watermarks stand where: so that
 * is said, and the good bytes; and of everything else, the bytes. Each content is scanned once.
 */

import { runNow } from '../../src/durable/two-forms.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { scanSegment } from '../../src/wal/segment-scan.ts';
import { WATERMARK_BYTES, watermarksIn } from '../../src/wal/watermark.ts';
import { digestOf } from './wide-judge.ts';

const SEGMENT = /^\d{6,15}\.log$/;
/** What a recovery was writing: it goes unread. */
const TEMPORARY = /^\d{6,15}\.tmp$/;

const ofSegments = new WeakMap<Uint8Array, string>();
const ofOthers = new WeakMap<Uint8Array, string>();

/** For a log in `/log`. */
export function classOfWal({ root }: CrashedDisk): string {
  return saidOfLog(root);
}

/** Names, links, and contents as far as they count. */
export function saidOfLog(directory: FileTreeDirectory): string {
  let text = '{';
  for (const [name, node] of sortedEntries(directory)) text += `${name}${saidOf(name, node)},`;
  return `${text}}`;
}

function saidOf(name: string, node: FileTreeNode): string {
  if (node.kind === 'directory') return saidOfLog(node);
  if (node.kind === 'symlink') return `>${node.target}`;
  const link = node.inode === undefined ? ':' : `#${node.inode}:`;
  if (TEMPORARY.test(name)) return link;
  return link + (SEGMENT.test(name) ? ofSegment(node.content) : ofOther(node.content));
}

function sortedEntries({ entries }: FileTreeDirectory): [string, FileTreeNode][] {
  const list = [...entries];
  return list.length < 2 ? list : list.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function ofSegment(content: Uint8Array): string {
  let known = ofSegments.get(content);
  if (known === undefined) {
    const text = scanned(content);
    known = digestOf(Buffer.from(text));
    ofSegments.set(content, known);
  }
  return known;
}

function scanned(content: Uint8Array): string {
  const file = { kind: 'file', mode: 0o644, content } as const;
  const vfs = MemoryVfs.fromTree({
    kind: 'directory',
    mode: 0o755,
    entries: new Map([['s', file]]),
  });
  const { path: _, size, usedEnd, problem, ...scan } = runNow(scanSegment(vfs, '/s', 'ours'));
  const { endOffset } = scan;
  // Watermarks among the good bytes too: a segment of another place is searched from its beginning.
  const from = Math.max(0, endOffset - WATERMARK_BYTES);
  const found = [...watermarksIn(content.subarray(from))];
  const facts = [scan, size > endOffset, usedEnd > endOffset, problem?.certain, found];
  return JSON.stringify(facts) + digestOf(content.subarray(0, endOffset));
}

function ofOther(content: Uint8Array): string {
  let known = ofOthers.get(content);
  if (known === undefined) {
    known = digestOf(content);
    ofOthers.set(content, known);
  }
  return known;
}
