/**
 * The recorded root as it is when recording begins: read once, from a real directory or from a tree in memory,
 * told to a trace sink and to the shadow tree.
 */

import fs from 'node:fs';
import path from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeSymlink,
} from '../../vfs/file-tree.ts';
import type { InodeNumber } from './operation.ts';
import type { ShadowDirectory, ShadowNode, ShadowTree } from './shadow-tree.ts';
import type { TraceSink } from './trace-sink.ts';

/**
 * Fills an empty shadow tree from a tree in memory. A directory that a rename cut in half left under both names is two
 * directories with the same files, as it is for the programs that run on such a tree (`MemoryVfs`).
 */
export function snapshotFileTree(root: FileTreeDirectory, tree: ShadowTree, sink: TraceSink): void {
  const shared = new Map<number, ShadowNode>();
  const add = (node: FileTreeNode): ShadowNode => {
    if (node.kind === 'directory') return fill(tree.newDirectory(), node);
    const known = node.inode === undefined ? undefined : shared.get(node.inode);
    if (known !== undefined) return known;
    const made = make(node);
    if (node.inode !== undefined) shared.set(node.inode, made);
    return made;
  };
  const make = (node: FileTreeFile | FileTreeSymlink): ShadowNode => {
    if (node.kind === 'symlink') {
      const link = tree.newSymlink(node.target);
      sink.addInitial({ inode: link.inode, node: 'symlink', target: node.target });
      return link;
    }
    const file = tree.newFile(node.content.byteLength);
    const content = sink.addContent(node.content);
    sink.addInitial({ inode: file.inode, node: 'file', mode: node.mode, content });
    return file;
  };
  const fill = (directory: ShadowDirectory, node: FileTreeDirectory): ShadowDirectory => {
    const entries: [string, InodeNumber][] = [];
    for (const [name, child] of node.entries) {
      const made = add(child);
      tree.attach(directory, name, made);
      entries.push([name, made.inode]);
    }
    sink.addInitial({ inode: directory.inode, node: 'directory', mode: node.mode, entries });
    return directory;
  };
  fill(tree.root, root);
}

/**
 * Fills an empty shadow tree from a real directory. Names are UTF-8.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when something in it cannot be recorded: a socket, a pipe, a device, or
 * a name that is not UTF-8
 */
export function snapshotDirectory(rootPath: string, tree: ShadowTree, sink: TraceSink): void {
  const shared = new Map<string, ShadowNode>();
  const add = (at: string): ShadowNode => {
    const stat = fs.lstatSync(at, { bigint: true });
    const identity = `${stat.dev}:${stat.ino}`;
    const known = stat.isDirectory() ? undefined : shared.get(identity);
    if (known !== undefined) return known;
    const made = make(at, stat);
    shared.set(identity, made);
    return made;
  };
  const make = (at: string, stat: fs.BigIntStats): ShadowNode => {
    if (stat.isDirectory()) return fill(tree.newDirectory(), at, Number(stat.mode) & 0o7777);
    if (stat.isSymbolicLink()) {
      const link = tree.newSymlink(fs.readlinkSync(at));
      sink.addInitial({ inode: link.inode, node: 'symlink', target: link.target });
      return link;
    }
    if (!stat.isFile()) {
      throw new UsageError(
        `${at} is neither a file, a directory nor a link, and cannot be recorded; move it out of the root`,
      );
    }
    const bytes = fs.readFileSync(at);
    const file = tree.newFile(bytes.byteLength);
    const content = sink.addContent(bytes);
    const mode = Number(stat.mode) & 0o7777;
    sink.addInitial({ inode: file.inode, node: 'file', mode, content });
    return file;
  };
  const fill = (directory: ShadowDirectory, at: string, mode: number): ShadowDirectory => {
    const entries: [string, InodeNumber][] = [];
    for (const bytes of fs.readdirSync(at, { encoding: 'buffer' })) {
      const name = bytes.toString('utf8');
      if (!Buffer.from(name, 'utf8').equals(bytes)) {
        throw new UsageError(
          `${at} holds a name that is not UTF-8 (${name}); it cannot be recorded`,
        );
      }
      const made = add(path.join(at, name));
      tree.attach(directory, name, made);
      entries.push([name, made.inode]);
    }
    sink.addInitial({ inode: directory.inode, node: 'directory', mode, entries });
    return directory;
  };
  fill(tree.root, rootPath, fs.statSync(rootPath).mode & 0o7777);
}
