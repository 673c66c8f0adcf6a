/**
 * Trees of litmus programs in letters: a text that is equal for equal disks, and the outcome in words.
 *
 * A sector (512 bytes) that holds anything but zeros and letters is garbage, written `?`: what exactly a stale
 * block holds is not the model's business. `lost+found` is not in these trees: programs have a directory below
 * the file system's root.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { ContentWords, LitmusProgram } from './litmus-program.ts';

const SECTOR_BYTES = 512;
const GARBAGE = '?';
/** Zeros and letters only. */
const READABLE = /^[\0A-Za-z]*$/;

/** One thing of a tree. */
export interface LitmusEntry {
  readonly path: string;
  /** Kind and mode, and a file's size: what two disks must agree on before contents are compared. */
  readonly shape: string;
  /** One letter for each byte; null for what is no file. */
  readonly letters: string | null;
}

/** Everything below the root, sorted by path. */
export function litmusEntries(root: FileTreeDirectory): LitmusEntry[] {
  const entries: LitmusEntry[] = [];
  const visit = (directory: FileTreeDirectory, prefix: string): void => {
    for (const [name, node] of directory.entries) {
      const path = `${prefix}${name}`;
      entries.push(entryOf(path, node));
      if (node.kind === 'directory') visit(node, `${path}/`);
    }
  };
  visit(root, '');
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function entryOf(path: string, node: FileTreeNode): LitmusEntry {
  if (node.kind === 'symlink') return { path, shape: `link ${node.target}`, letters: null };
  const mode = (node.mode & 0o7777).toString(8);
  if (node.kind === 'directory') return { path, shape: `dir ${mode}`, letters: null };
  const letters = lettersOf(node.content);
  return { path, shape: `file ${mode} ${letters.length}`, letters };
}

const knownLetters = new WeakMap<Uint8Array, string>();

/** A dot for a zero, the letter for a letter, and `?` for each byte of a sector that holds anything else. */
export function lettersOf(content: Uint8Array): string {
  const known = knownLetters.get(content);
  if (known !== undefined) return known;
  const text = Buffer.from(content).toString('latin1');
  let letters = '';
  if (READABLE.test(text)) letters = text.replaceAll('\0', '.');
  else {
    for (let from = 0; from < text.length; from += SECTOR_BYTES) {
      const sector = text.slice(from, from + SECTOR_BYTES);
      const readable = READABLE.test(sector);
      letters += readable ? sector.replaceAll('\0', '.') : GARBAGE.repeat(sector.length);
    }
  }
  knownLetters.set(content, letters);
  return letters;
}

/** `A4096 .512`: runs of equal letters. */
export function runsText(letters: string): string {
  const runs = letters.match(/(.)\1*/g) ?? [];
  return runs.map((run) => `${run.slice(0, 1)}${run.length}`).join(' ');
}

/** A text that is equal for equal disks. */
export function treeText(entries: readonly LitmusEntry[]): string {
  return entries
    .map(({ path, shape, letters }) =>
      letters === null ? `${path}: ${shape}` : `${path}: ${shape} ${runsText(letters)}`,
    )
    .join('\n');
}

/** The outcome in words: `g new, t absent`. */
export function outcomeOf(program: LitmusProgram, entries: readonly LitmusEntry[]): string {
  return Object.entries(program.watch)
    .map(([path, words]) => {
      const entry = entries.find((one) => one.path === path);
      return `${path} ${wordFor(entry, words)}`;
    })
    .join(', ');
}

function wordFor(entry: LitmusEntry | undefined, words: ContentWords): string {
  if (entry === undefined) return 'absent';
  if (entry.letters === null) return 'there';
  const named = words[`${entry.shape.split(' ')[1]} ${runsText(entry.letters)}`];
  if (named !== undefined) return named;
  const known = words[runsText(entry.letters)];
  if (known !== undefined) return known;
  if (entry.letters === '') return 'empty';
  if (entry.letters.includes(GARBAGE)) return 'garbage';
  if (/^\.+$/.test(entry.letters)) return 'zeros';
  return entry.letters.includes('.') ? 'partly zeros' : 'mixed';
}
