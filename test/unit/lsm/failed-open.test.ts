/** What fails gives back the files that it has opened: it may be tried for hours while a disk is full. */

import { equal, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import type { Fault } from '../../../src/vfs/fault.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { openIn } from '../../support/open-files.ts';

/** Each comes once the new log is there. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'the new manifest cannot be made': {
    kind: 'ENOSPC',
    calls: ['open'],
    path: /MANIFEST-\d+$/,
    nth: 2,
  },
  'the new manifest cannot be written': { kind: 'EIO', calls: ['file.write'], path: /MANIFEST/ },
  'CURRENT cannot be replaced': { kind: 'ENOSPC', calls: ['rename'], path: /CURRENT/ },
  'the directory cannot be listed for what is to be removed': {
    kind: 'EMFILE',
    calls: ['readDirectory'],
    nth: 5,
  },
};

const skip = process.platform === 'linux' ? false : 'open files are listed by Linux only';

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`no file stays open where ${what}`, { skip }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-lsm-open-'));
    try {
      await (await lsmKind.open(directory)).close();
      const dispatch = new SyncDispatch(new FaultVfs(nodeVfs, fault));
      await rejects(async () => {
        const store = await lsmKind.open(directory, { dispatch });
        await store.close();
      });
      equal(openIn(directory).join(), '');
      await (await lsmKind.open(directory)).close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

test('no file stays open where a backup cannot be begun', { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-lsm-backup-'));
  try {
    const fault: Fault = { kind: 'ENOSPC', calls: ['rename'], path: /copy\/CURRENT/ };
    const dispatch = new SyncDispatch(new FaultVfs(nodeVfs, fault));
    const store = await lsmKind.open(join(directory, 'store'), { dispatch });
    await rejects(store.backup(join(directory, 'copy')), { code: 'ENOSPC' });
    equal(openIn(join(directory, 'copy')).join(), '');
    await store.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
