/**
 * What can be said of a disk with Bitcask stores, so that opening does the same on every disk of which it is said: the
 * bytes of the manifest; of each sealed file the bytes that count, and its hint where that is whole; of each open log
 * the entries that are whole from its beginning on, and what entries behind them say. Nothing else is acted on: not
 * the rest of a torn log, nor a hint that is not whole, nor the bytes of files that only wait to be removed. Of the
 * names of data files and hints only the highest number counts, because the next file gets a higher one.
 */

import { decodePointer } from '../../src/durable/pointer-file.ts';
import {
  EntryView,
  FILE_HEADER_BYTES,
  MARK,
  PUT,
  dataFileName,
  hintFileName,
  parseFileName,
} from '../../src/bitcask/entry-format.ts';
import { HintReader } from '../../src/bitcask/hint-file.ts';
import { MANIFEST_NAME, decodeManifest } from '../../src/bitcask/manifest.ts';
import type { ManifestFile } from '../../src/bitcask/manifest.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { contentOf, onceFor, saidInFull, sortedEntries } from './disk-facts.ts';
import { digestOf } from './wide-judge.ts';

/** For stores in directories of the root. */
export function classOfBitcask({ root }: CrashedDisk): string {
  return sortedEntries(root)
    .map(([name, node]) => {
      return `${name}=${node.kind === 'directory' ? classOfStore(node) : saidInFull(node)}`;
    })
    .join(' ');
}

function classOfStore(store: FileTreeDirectory): string {
  try {
    return `${namesOf(store)} ${foundIn(store)}`;
  } catch (error) {
    // It is refused or made anew, for a reason that may be anywhere.
    return `${String(error)} ${saidInFull(store)}`;
  }
}

/** Names that are none of data files and hints; of these the highest number. */
function namesOf({ entries }: FileTreeDirectory): string {
  const others: string[] = [];
  let highest = 0;
  for (const [name, { kind }] of entries) {
    const file = parseFileName(name);
    if (file === null) others.push(`${name}:${kind}`);
    else highest = Math.max(highest, file.number);
  }
  return `${highest} ${others.toSorted().join()}`;
}

/** @throws what opening throws, or an Error where a file is missing */
function foundIn(store: FileTreeDirectory): string {
  const bytes = contentOf(store, MANIFEST_NAME);
  const digest = onceFor(bytes, 'digest', () => digestOf(bytes));
  const { files } = onceFor(bytes, 'manifest', () => {
    return decodeManifest(decodePointer(bytes, MANIFEST_NAME), MANIFEST_NAME);
  });
  const facts = files.map((file) => {
    const content = contentOf(store, dataFileName(file.number));
    if (content.length < file.length) throw new Error('a file that is too short');
    return file.open ? ofLog(content, file) : ofSealed(store, content, file);
  });
  return `${digest} ${facts.join()}`;
}

/** All bytes that count, and the hint. */
function ofSealed(store: FileTreeDirectory, content: Uint8Array, file: ManifestFile): string {
  const { number, length, fingerprint } = file;
  const digest = onceFor(content, `sealed ${length}`, () => digestOf(content.subarray(0, length)));
  const node = store.entries.get(hintFileName(number));
  if (node?.kind !== 'file') return digest;
  const hint = node.content;
  const hinted = onceFor(hint, `hint ${number} ${length} ${fingerprint}`, () => {
    return HintReader.open(hint, file) === null ? '' : digestOf(hint);
  });
  return `${digest}+${hinted}`.replace(/\+$/, '');
}

/** The entries that are whole, one behind the other, and what is behind them. */
function ofLog(content: Uint8Array, { number, length }: ManifestFile): string {
  return onceFor(content, `log ${number} ${length}`, () => {
    const view = new EntryView();
    const { length: size } = content;
    let end = FILE_HEADER_BYTES;
    while (view.load(content, end, size - end, number, end)) end += view.length;
    let durable = 0;
    let entries = 0;
    let used = size;
    while (used > end && content[used - 1] === 0) used--;
    for (let at = end; at < used; at++) {
      // Most of what is behind the end is zeros and values, where no entry begins.
      const kind = content[at + 4] ?? 0;
      if (kind < PUT || kind > MARK || !view.load(content, at, size - at, number, at)) continue;
      entries++;
      durable = Math.max(durable, at - view.undurable);
      at += view.length - 1;
    }
    const good = digestOf(content.subarray(0, Math.min(end, size)));
    return `${good} ${end === size} ${used > end} ${entries > 0} ${durable > length ? durable : ''}`;
  });
}
