/** Power cuts on real kernels. Needs root and the rig's pieces; skipped with the reason where one is missing. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import { diskProfiles } from '../../src/lab/powercut/disk-profile.ts';
import { cutPower, fileText, skipWithout } from '../support/powercut-needs.ts';

const KEYS = ['key1', 'key2', 'key3'];
const RECORDS = KEYS.map((key) => `${key}=value\\n`).join('');

/** The flush of an LSM engine: a new table takes over what the log holds, then the log goes. */
function flushStory(syncTable: boolean): string {
  return `printf '${RECORDS}' > table; ${syncTable ? 'sync table;' : ''} : > log`;
}

function everyKeyIsSomewhere(disk: CrashedDisk): string | null {
  const both = `${fileText(disk, 'log') ?? ''}${fileText(disk, 'table') ?? ''}`;
  const lost = KEYS.filter((key) => !both.includes(`${key}=value\n`));
  return lost.length === 0 ? null : `${lost.join(', ')} lost from log and table`;
}

for (const fileSystem of ['ext4', 'xfs']) {
  describe(`the flush of an LSM engine on ${fileSystem}`, skipWithout(fileSystem), () => {
    const setup = `printf '${RECORDS}' > log`;

    it('loses table and log when the table is not synced before the log is truncated', async () => {
      const result = await cutPower(fileSystem, flushStory(false), everyKeyIsSomewhere, { setup });
      const messages = result.findings.map((finding) => finding.message);
      assert.ok(messages.includes('key1, key2, key3 lost from log and table'), messages.join());
    });

    it('loses nothing when the table is synced first', async () => {
      const result = await cutPower(fileSystem, flushStory(true), everyKeyIsSomewhere, { setup });
      assert.deepEqual(result.findings, []);
      assert.ok(result.certificate.distinctTrees >= 3);
    });
  });
}

describe('a file that is synced before it is acknowledged', () => {
  for (const { name: fileSystem } of diskProfiles) {
    it(
      `is there whenever the acknowledgement stood, on ${fileSystem}`,
      skipWithout(fileSystem),
      async () => {
        const script = 'echo new > file; sync file; sync .; echo acknowledged';
        const result = await cutPower(
          fileSystem,
          script,
          (disk) => {
            const promised = disk.marks.some((mark) => mark.text === 'acknowledged\n');
            return promised && fileText(disk, 'file') !== 'new\n' ? 'file lost' : null;
          },
          { checkFileSystems: true },
        );
        assert.deepEqual(result.findings, []);
        const untorn = result.damage.filter((damage) => damage.imagesWithoutTear > 0);
        assert.deepEqual(untorn, [], 'the file system itself is sound without torn writes');
        assert.ok(result.certificate.fileSystemsChecked > 0);
      },
    );
  }

  it('is missed when it is acknowledged before it is synced', skipWithout('ext4'), async () => {
    const script = 'echo new > file; echo acknowledged; sleep 0.1; sync file';
    const result = await cutPower('ext4', script, (disk) => {
      const promised = disk.marks.some((mark) => mark.text === 'acknowledged\n');
      return promised && fileText(disk, 'file') !== 'new\n' ? 'file lost' : null;
    });
    assert.deepEqual(
      result.findings.map((finding) => finding.message),
      ['file lost'],
    );
  });
});
