/** An opening that fails gives back what it has opened: it may be tried again for hours. */

import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import type { VfsCallName } from '../../../src/vfs/vfs-call.ts';
import { openIn } from '../../support/open-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CALLS: readonly VfsCallName[] = [
  'open',
  'openDirectory',
  'readDirectory',
  'rename',
  'file.read',
  'file.write',
  'file.sync',
  'file.datasync',
  'directory.sync',
];
const skip = process.platform === 'linux' ? false : 'open files are listed by Linux only';

test('no file stays open, whichever call of an opening fails', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  await (await bitcaskKind.open(directory)).close();
  let failed = 0;
  for (let nth = 1, met = true; met; nth++) {
    const vfs = new FaultVfs(nodeVfs, { kind: 'EIO', calls: CALLS, nth });
    const opening = bitcaskKind.open(directory, { dispatch: new SyncDispatch(vfs) });
    const engine = await opening.catch(() => null);
    if (engine === null) failed++;
    else await engine.close().catch(() => 'its closing met the fault');
    met = vfs.injected.length > 0;
    equal(openIn(directory).join(), '', `call ${nth}`);
  }
  ok(failed > 20, `${failed} openings failed`);
});
