/**
 * What can be said of a disk with Bitcask stores, so that opening does the same on every disk of which it is said: the
 * bytes of the manifest; of each sealed file the bytes that count; whether all of these have hints that are whole and
 * say what the files say, and the highest clock that is found; of each open log the entries that are whole from its
 * beginning on, and what entries behind them say; the index files that count. Nothing else is acted on: not the rest of
 * a torn log, nor a hint or an index that is not whole, nor the bytes of files that only wait to be removed. Of the names of data files and hints only the
 * highest number counts, because the next file gets a higher one.
 */

import { equalBytes } from '../../src/base/bytes.ts';
import { decodePointer } from '../../src/durable/pointer-file.ts';
import {
  EntryView,
  FILE_HEADER_BYTES,
  MARK,
  PUT,
  dataFileName,
  get64,
  hintFileName,
  parseFileName,
} from '../../src/bitcask/entry-format.ts';
import { HintBuilder, HintReader } from '../../src/bitcask/hint-file.ts';
import {
  INDEX_BLOCK_BYTES,
  IndexReader,
  decodeIndexHeader,
  indexHeaderBytes,
} from '../../src/bitcask/index-file.ts';
import { lengthCodeOf } from '../../src/bitcask/key-location.ts';
import { MANIFEST_NAME, decodeManifest } from '../../src/bitcask/manifest.ts';
import type { ManifestFile } from '../../src/bitcask/manifest.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { contentOf, onceFor, saidInFull, sortedEntries } from './disk-facts.ts';
import { digestOf } from './wide-judge.ts';

/** What takes the place of the manifest, under a name of its own each time. */
const TEMPORARY = /^\.holdfast-.*\.tmp$/;

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

/** Names that are none of data files and hints, and what they hold by name; of these the highest number. */
function namesOf({ entries }: FileTreeDirectory): string {
  const others = new Set<string>();
  let highest = 0;
  for (const [name, node] of entries) {
    const file = parseFileName(name);
    const inside = node.kind === 'directory' ? [...node.entries.keys()].toSorted().join('+') : '';
    if (file === null) others.add(`${name.replace(TEMPORARY, '.tmp')}:${node.kind}${inside}`);
    else highest = Math.max(highest, file.number);
  }
  return `${highest} ${[...others].toSorted().join()}`;
}

/** @throws what opening throws, or an Error where a file is missing */
function foundIn(store: FileTreeDirectory): string {
  const bytes = contentOf(store, MANIFEST_NAME);
  const digest = onceFor(bytes, 'digest', () => digestOf(bytes));
  const { files } = onceFor(bytes, 'manifest', () => {
    return decodeManifest(decodePointer(bytes, MANIFEST_NAME), MANIFEST_NAME);
  });
  let clock = 0;
  let hinted = true;
  const facts = files.map((file) => {
    const content = contentOf(store, dataFileName(file.number));
    if (content.length < file.length) throw new Error('a file that is too short');
    if (file.open) return ofLog(content, file);
    const { length } = file;
    const sealed = onceFor(content, `sealed ${file.number} ${length}`, () =>
      ofSealed(content, file),
    );
    const hint = hintOf(store, sealed, file);
    hinted &&= hint !== null;
    clock = Math.max(clock, hint?.clock ?? sealed.clock);
    return `${sealed.digest}${hint?.lies ?? ''}`;
  });
  const indexes = countingIndexes(store, digest, files);
  return `${digest} ${hinted} ${clock} ${facts.join()} ${indexes}`;
}

interface Sealed {
  /** Of all bytes that count. */
  readonly digest: string;
  /** The highest that it has. */
  readonly clock: number;
  /** What its hint has to say. */
  readonly hint: HintBuilder;
}

function ofSealed(content: Uint8Array, { number, length }: ManifestFile): Sealed {
  const view = new EntryView();
  const hint = new HintBuilder();
  let clock = 0;
  for (let at = FILE_HEADER_BYTES; view.load(content, at, length - at, number, at);) {
    const { kind, keyStart, keyEnd, expiry } = view;
    if (kind === MARK) clock = Math.max(clock, get64(content, keyEnd));
    else
      hint.add(content, keyStart, keyEnd, at, kind === PUT ? lengthCodeOf(view.length) : 0, expiry);
    at += view.length;
  }
  return { digest: digestOf(content.subarray(0, length)), clock, hint };
}

/** The clock of the hint, and what it says where that is not what the file says; null: it does not count. */
function hintOf(
  store: FileTreeDirectory,
  sealed: Sealed,
  file: ManifestFile,
): { readonly clock: number; readonly lies: string } | null {
  const node = store.entries.get(hintFileName(file.number));
  if (node?.kind !== 'file') return null;
  const { number, length, fingerprint } = file;
  return onceFor(node.content, `hint ${number} ${length} ${fingerprint} ${sealed.digest}`, () => {
    const hint = HintReader.open(node.content, file);
    if (hint === null) return null;
    const { clock } = hint;
    const isRight = equalBytes(sealed.hint.finish(file, clock), node.content);
    return { clock, lies: isRight ? '' : `+${digestOf(node.content)}` };
  });
}

/** Of each index file that counts: all of it. */
function countingIndexes(
  store: FileTreeDirectory,
  manifest: string,
  files: readonly ManifestFile[],
): string {
  const found: string[] = [];
  for (const [name, node] of store.entries) {
    const file = parseFileName(name);
    if (file?.kind !== 'index' || node.kind !== 'file') continue;
    const { content } = node;
    const counts = onceFor(content, `index ${file.number} ${manifest}`, () =>
      indexCounts(content, file.number, files),
    );
    if (counts) found.push(`${name}:${onceFor(content, 'digest', () => digestOf(content))}`);
  }
  return found.toSorted().join();
}

function indexCounts(content: Uint8Array, number: number, files: readonly ManifestFile[]): boolean {
  const length = indexHeaderBytes(content);
  if (length === 0 || length > content.length) return false;
  const start = content.subarray(0, length);
  const header = decodeIndexHeader(start);
  if (header?.number !== number || header.files.length > files.length) return false;
  const isOf = header.files.every((file, place) => {
    const { open, ...other } = files[place]!;
    return !open && Object.entries(other).every(([key, value]) => file[key as 'number'] === value);
  });
  if (!isOf) return false;
  const reader = new IndexReader(start, header);
  for (let at = length; at < content.length; at += INDEX_BLOCK_BYTES) {
    if (!reader.enter(content.subarray(at, at + INDEX_BLOCK_BYTES))) return false;
    while (reader.next());
  }
  return !reader.isWrong && reader.count === header.count;
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
