/**
 * A crashed tree beside the one that the program saw at that moment: a row for each path that differs, and some that
 * do not. Data only; `trees-html.ts` draws it.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../../vfs/file-tree.ts';

/** Rows of one comparison. */
const ROWS_MAX = 30;
const SAME_MAX = 6;
/** Bytes of a content that are shown, and how many of them before the first one that differs. */
const EXCERPT_BYTES = 160;
const LEAD_BYTES = 24;
/** Where more of the bytes than this share are no text, they are shown as numbers. */
const BINARY_SHARE = 0.25;

export type TreeDifference = 'missing' | 'different' | 'unexpected' | 'same';

export interface TreeRow {
  readonly path: string;
  readonly difference: TreeDifference;
  readonly expected: TreeCell | null;
  readonly crashed: TreeCell | null;
}

/** What stands under a path. */
export interface TreeCell {
  /** e.g. `file, 12 bytes` or `directory`. */
  readonly what: string;
  /** A part of the content; where it begins: 0 unless what differs is far in. */
  readonly excerpt: string | null;
  readonly from: number;
  readonly isCut: boolean;
}

export interface TreeComparison {
  readonly rows: readonly TreeRow[];
  /** Paths that differ and are not shown. */
  readonly moreDifferent: number;
  /** Paths that are the same and are not shown. */
  readonly moreSame: number;
}

export function compareTrees(
  expected: FileTreeDirectory,
  crashed: FileTreeDirectory,
): TreeComparison {
  const [before, after] = [flat(expected), flat(crashed)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted(byCharacter);
  const different: TreeRow[] = [];
  const same: TreeRow[] = [];
  let [moreDifferent, moreSame] = [0, 0];
  for (const path of paths) {
    const [one, other] = [before.get(path), after.get(path)];
    const difference = differenceOf(one, other);
    if (difference === 'same') {
      if (same.length < SAME_MAX) same.push(rowOf(path, difference, one, other));
      else moreSame += 1;
    } else if (different.length < ROWS_MAX) different.push(rowOf(path, difference, one, other));
    else moreDifferent += 1;
  }
  return { rows: [...different, ...same], moreDifferent, moreSame };
}

function byCharacter(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function flat(root: FileTreeDirectory): Map<string, FileTreeNode> {
  const nodes = new Map<string, FileTreeNode>();
  const visit = (directory: FileTreeDirectory, prefix: string): void => {
    for (const [name, node] of directory.entries) {
      nodes.set(`${prefix}${name}`, node);
      if (node.kind === 'directory') visit(node, `${prefix}${name}/`);
    }
  };
  visit(root, '');
  return nodes;
}

function differenceOf(
  expected: FileTreeNode | undefined,
  crashed: FileTreeNode | undefined,
): TreeDifference {
  if (expected === undefined) return 'unexpected';
  if (crashed === undefined) return 'missing';
  if (expected.kind === 'file' && crashed.kind === 'file') {
    return firstDifference(expected.content, crashed.content) < 0 ? 'same' : 'different';
  }
  if (expected.kind === 'symlink' && crashed.kind === 'symlink') {
    return expected.target === crashed.target ? 'same' : 'different';
  }
  return expected.kind === crashed.kind ? 'same' : 'different';
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a === b) return -1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? -1 : length;
}

function rowOf(
  path: string,
  difference: TreeDifference,
  expected: FileTreeNode | undefined,
  crashed: FileTreeNode | undefined,
): TreeRow {
  const from =
    expected?.kind === 'file' && crashed?.kind === 'file'
      ? Math.max(0, firstDifference(expected.content, crashed.content) - LEAD_BYTES)
      : 0;
  const start = from <= LEAD_BYTES ? 0 : from;
  const cell = (node: FileTreeNode | undefined): TreeCell | null =>
    node === undefined ? null : cellOf(node, start);
  return { path, difference, expected: cell(expected), crashed: cell(crashed) };
}

function cellOf(node: FileTreeNode, from: number): TreeCell {
  if (node.kind === 'directory') {
    return { what: 'directory', excerpt: null, from: 0, isCut: false };
  }
  if (node.kind === 'symlink') {
    return { what: 'symbolic link', excerpt: node.target, from: 0, isCut: false };
  }
  const { content } = node;
  const { length } = content;
  const what = length === 0 ? 'empty file' : `file, ${length} byte${length === 1 ? '' : 's'}`;
  const part = content.subarray(from, from + EXCERPT_BYTES);
  if (part.length === 0) return { what, excerpt: null, from, isCut: false };
  const isCut = from + part.length < length;
  return { what, excerpt: excerptOf(part), from, isCut };
}

function excerptOf(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return `${bytes.length} zero bytes`;
  const text = new TextDecoder().decode(bytes);
  const odd = bytes.reduce((sum, byte) => sum + (isOdd(byte) ? 1 : 0), 0);
  const replaced = text.split('\ufffd').length - 1;
  if ((odd + replaced) / bytes.length <= BINARY_SHARE) return text;
  return Array.from(bytes.subarray(0, 48), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Neither text nor part of a character of several bytes. */
function isOdd(byte: number): boolean {
  return byte < 32 && byte !== 9 && byte !== 10 && byte !== 13;
}
