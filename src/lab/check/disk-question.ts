/**
 * What a run of a checker asked of its disk, and what a disk answers. Two disks that give equal answers to all
 * questions of a deterministic run cannot be told apart by it: the second one needs no run of its own.
 *
 * Questions are strings, so that they can be compared: a letter, then a path below the state directory.
 *
 * - `n` is there something, of what kind, mode and size, and what links lead there?
 * - `o` the same, and all its bytes or, of a directory, all its names with their kinds: it was opened
 * - `r` the same as `n`, and the bytes of these ranges: `r0-4096,8192-12288:path`
 * - `t` everything at and below it: it was moved or linked, and may have been read under any other name
 * - `a` what had been acknowledged (no path)
 */

import { createHash } from 'node:crypto';

import { assert } from '../../base/assert.ts';
import { contentDigest, treeDigest } from '../replay/tree-digest.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import { acknowledgedOutput } from './acknowledged-lines.ts';
import type { CrashedDisk } from './checker.ts';

export type DiskQuestion = `${'n' | 'o' | 't' | 'r'}${string}` | 'a';

/** As many links as Linux follows in one path. @see path_resolution(7) */
const LINKS_FOLLOWED_MAX = 40;

/** One disk, ready to answer. */
export class DiskAnswers {
  readonly #disk: CrashedDisk;
  #linkCounts: ReadonlyMap<number, number> | null = null;

  constructor(disk: CrashedDisk) {
    this.#disk = disk;
  }

  answer(question: DiskQuestion): string {
    if (question === 'a') return acknowledgedOutput(this.#disk.marks);
    if (question.startsWith('r')) return this.#answerRanges(question);
    const path = question.slice(1);
    const { links, node } = walk(this.#disk.root, path);
    const facts = `${links}${this.#facts(node)}`;
    if (node === null || question.startsWith('n')) return facts;
    if (question.startsWith('t')) return `${facts} ${digestOf(node)}`;
    assert(question.startsWith('o'), `${question} is no question`);
    if (node.kind === 'file') return `${facts} ${contentDigest(node.content).toString('base64')}`;
    if (node.kind === 'directory') return `${facts} ${listing(node)}`;
    return facts;
  }

  #answerRanges(question: string): string {
    const colon = question.indexOf(':');
    const { links, node } = walk(this.#disk.root, question.slice(colon + 1));
    const facts = `${links}${this.#facts(node)}`;
    if (node?.kind !== 'file') return facts;
    const hash = createHash('sha256');
    for (const range of question.slice(1, colon).split(',')) {
      const [from = 0, to = 0] = range.split('-').map(Number);
      hash.update(node.content.subarray(from, to));
    }
    // The size is among the facts: where one range ends and the next begins is the same on both disks.
    return `${facts} ${hash.digest('base64')}`;
  }

  #facts(node: FileTreeNode | null): string {
    if (node === null) return 'absent';
    if (node.kind === 'directory') return `directory ${node.mode}`;
    if (node.kind === 'symlink') return `link ${JSON.stringify(node.target)}`;
    return `file ${node.mode} ${node.content.length} ${this.#linkCount(node.inode)}`;
  }

  #linkCount(inode: number | undefined): number {
    if (inode === undefined) return 1;
    this.#linkCounts ??= countLinks(this.#disk.root);
    return this.#linkCounts.get(inode) ?? 1;
  }
}

interface Found {
  /** Every link on the way, with its target. */
  readonly links: string;
  /** Null where there is nothing, or where the way leads out of the tree. */
  readonly node: FileTreeNode | null;
}

/** Follows links as the kernel does, the last one too. */
function walk(root: FileTreeDirectory, path: string): Found {
  const rest = path.split('/').toReversed();
  const above: FileTreeDirectory[] = [];
  let node: FileTreeNode = root;
  let links = '';
  let followed = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    if (node.kind !== 'directory') return { links: `${links}through a file `, node: null };
    if (name === '..') {
      const parent = above.pop();
      if (parent === undefined) return { links: `${links}out `, node: null };
      node = parent;
      continue;
    }
    const child = node.entries.get(name);
    if (child === undefined) return { links, node: null };
    if (child.kind === 'symlink') {
      followed += 1;
      links += `${JSON.stringify(child.target)} `;
      if (child.target.startsWith('/') || followed > LINKS_FOLLOWED_MAX) {
        return { links: `${links}out `, node: null };
      }
      for (const part of child.target.split('/').toReversed()) rest.push(part);
      continue;
    }
    if (child.kind === 'directory') above.push(node);
    node = child;
  }
  return { links, node };
}

function listing(directory: FileTreeDirectory): string {
  const names = [...directory.entries].map(
    ([name, { kind }]) => `${JSON.stringify(name)}${kind[0]}`,
  );
  return names.toSorted().join('');
}

function digestOf(node: FileTreeNode): string {
  if (node.kind === 'directory') return treeDigest(node);
  return treeDigest({ kind: 'directory', mode: 0, entries: new Map([['', node]]) });
}

function countLinks(root: FileTreeDirectory): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const visit = (directory: FileTreeDirectory): void => {
    for (const node of directory.entries.values()) {
      if (node.kind === 'directory') visit(node);
      else if (node.inode !== undefined) counts.set(node.inode, (counts.get(node.inode) ?? 0) + 1);
    }
  };
  visit(root);
  return counts;
}
