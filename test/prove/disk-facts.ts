/**
 * What the classes of disks have in common (`wide-judge`): how a disk is read, and how each content is worked on
 * once only. What of a disk counts is each store's.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { digestOf } from './wide-judge.ts';

/** What was worked out of a content, by what it was worked out for. */
const known = new WeakMap<Uint8Array, Map<string, unknown>>();

/** What `work` gives; done once for each content and each `what`. */
export function onceFor<T>(content: Uint8Array, what: string, work: () => T): T {
  let facts = known.get(content);
  if (facts === undefined) known.set(content, (facts = new Map()));
  if (!facts.has(what)) facts.set(what, work());
  return facts.get(what) as T;
}

/** @throws Error when there is no such file */
export function contentOf({ entries }: FileTreeDirectory, name: string): Uint8Array {
  const node = entries.get(name);
  if (node?.kind !== 'file') throw new Error(`${name} is no file`);
  return node.content;
}

/** Names and bytes, all of them. */
export function saidInFull(node: FileTreeNode): string {
  if (node.kind === 'symlink') return `l${node.target}`;
  if (node.kind === 'file') return onceFor(node.content, 'digest', () => digestOf(node.content));
  return `{${sortedEntries(node)
    .map(([name, child]) => `${name}${saidInFull(child)}`)
    .join(',')}}`;
}

export function sortedEntries({ entries }: FileTreeDirectory): [string, FileTreeNode][] {
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
