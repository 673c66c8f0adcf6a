/**
 * Whether the recorded calls explain what the root is like in the end. Where they do not, something wrote that no
 * recorder saw: a program that is not recorded, native code, a shared mapping.
 */

import fs from 'node:fs';
import { join } from 'node:path';

import type { ShadowDirectory, ShadowTree } from './shadow-tree.ts';

/** Names told at most: one is enough to make the verdict incomplete. */
const DIFFERENCES_MAX = 10;

/** One clause for each difference in names, kinds, sizes and link texts. */
export function compareWithDisk(root: string, tree: ShadowTree): string[] {
  const differences: string[] = [];
  compareDirectory(root, '', tree.root, differences);
  const more = differences.length - DIFFERENCES_MAX;
  if (more <= 0) return differences;
  return [
    ...differences.slice(0, DIFFERENCES_MAX),
    `and ${more} more that no recorded call explains`,
  ];
}

function compareDirectory(
  root: string,
  prefix: string,
  directory: ShadowDirectory,
  differences: string[],
): void {
  const names = new Set(fs.readdirSync(join(root, prefix)));
  for (const [name, node] of directory.entries) {
    const path = join(prefix, name);
    if (!names.delete(name)) {
      differences.push(`a removal that was not recorded: ${path}`);
      continue;
    }
    const stat = fs.lstatSync(join(root, path));
    if (node.kind === 'directory' && stat.isDirectory()) {
      compareDirectory(root, path, node, differences);
    } else if (node.kind === 'file' && stat.isFile()) {
      if (stat.size !== node.size) {
        differences.push(
          `a write that was not recorded: ${path} has ${stat.size} bytes and should have ${node.size}`,
        );
      }
    } else if (!(node.kind === 'symlink' && stat.isSymbolicLink())) {
      differences.push(`a replacement that was not recorded: ${path}`);
    } else if (fs.readlinkSync(join(root, path)) !== node.target) {
      differences.push(`a link that was not recorded: ${path}`);
    }
  }
  for (const name of names) {
    differences.push(`a name that was not recorded: ${join(prefix, name)}`);
  }
}
