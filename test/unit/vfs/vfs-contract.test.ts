import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import type { FileTreeDirectory } from '../../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { vfsContract } from '../../contract/vfs-contract.ts';
import { fileTree } from '../../support/file-tree-builder.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MEMORY_UMASK = 0o022;

vfsContract({
  name: 'NodeVfs',
  create: (scope) => ({ vfs: nodeVfs, root: temporaryDirectory(scope) }),
  umask: process.umask(),
  skips: {
    'a disk that gets full makes a write short, then ENOSPC, and loses nothing':
      'needs a file system of its own that is nearly full',
  },
});

vfsContract({
  name: 'MemoryVfs',
  create: () => ({ vfs: new MemoryVfs(), root: '/' }),
  createLimited: (_, capacityBytes) => ({ vfs: new MemoryVfs({ capacityBytes }), root: '' }),
  umask: MEMORY_UMASK,
});

const crowded: FileTreeDirectory = fileTree({ deep: { root: {} }, other: 'content' });

vfsContract({
  name: 'MemoryVfs below the root of a tree',
  create: () => ({ vfs: MemoryVfs.fromTree(crowded), root: '/deep/root' }),
  createLimited: (_, capacityBytes) => ({
    vfs: MemoryVfs.fromTree(crowded, { capacityBytes: capacityBytes + 'content'.length }),
    root: '/deep/root',
  }),
  umask: MEMORY_UMASK,
});

const wrappers: readonly (readonly [string, (vfs: Vfs) => Vfs])[] = [
  ['ForwardingVfs', (vfs) => new ForwardingVfs(vfs)],
  ['MeteredVfs', (vfs) => new MeteredVfs(vfs)],
];

for (const [name, wrap] of wrappers) {
  vfsContract({
    name,
    create: () => ({ vfs: wrap(new MemoryVfs()), root: '/' }),
    createLimited: (_, capacityBytes) => ({
      vfs: wrap(new MemoryVfs({ capacityBytes })),
      root: '',
    }),
    umask: MEMORY_UMASK,
  });
}
