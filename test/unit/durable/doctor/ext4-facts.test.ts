import assert from 'node:assert/strict';
import test from 'node:test';
import {
  ext4Facts,
  type Ext4Facts,
  type Ext4Sources,
} from '../../../../src/durable/doctor/ext4-facts.ts';

function facts(sources: Partial<Ext4Sources>): Ext4Facts {
  return ext4Facts({
    fileSystem: 'ext4',
    superOptions: ['rw'],
    procOptions: null,
    fastCommitInfo: null,
    journalTask: null,
    errorsCount: null,
    superblock: null,
    ...sources,
  });
}

/** A superblock with these bits in s_feature_compat. */
function superblock(features: number, magic: number = 0xef53): Uint8Array {
  const bytes = new Uint8Array(1024);
  new DataView(bytes.buffer).setUint16(56, magic, true);
  new DataView(bytes.buffer).setUint32(92, features, true);
  return bytes;
}

test('the options in force say the data mode, also where mountinfo hides it', () => {
  for (const mode of ['ordered', 'writeback', 'journal'] as const) {
    const seen = facts({ procOptions: `rw\ndelalloc\nbarrier\ndata=${mode}\ncommit=30\n` });
    assert.equal(seen.dataMode, mode);
    assert.equal(seen.journal, 'present');
    assert.equal(seen.commitSeconds, 30);
  }
});

test('options in force without a data mode mean that there is no journal', () => {
  const seen = facts({ procOptions: 'rw\ndelalloc\nbarrier\ncommit=5\n' });
  assert.equal(seen.journal, 'absent');
  assert.equal(seen.dataMode, 'none');
  assert.equal(seen.fastCommit, 'off');
});

test('without them the superblock tells, then the journal thread, then nobody', () => {
  assert.equal(facts({ superblock: superblock(0x4) }).journal, 'present');
  assert.equal(facts({ superblock: superblock(0) }).journal, 'absent');
  assert.equal(facts({ superblock: superblock(0, 0x1234) }).journal, 'unknown');
  assert.equal(facts({ superblock: new Uint8Array(10) }).journal, 'unknown');
  assert.equal(facts({ journalTask: '<none>\n' }).journal, 'absent');
  assert.equal(facts({ journalTask: '812\n' }).journal, 'present');
  assert.equal(facts({}).journal, 'unknown');
});

test('ext2 never has a journal', () => {
  assert.equal(facts({ fileSystem: 'ext2' }).journal, 'absent');
});

test('a data mode that mountinfo does not show is not taken for ordered', () => {
  assert.equal(facts({ journalTask: '812' }).dataMode, 'unknown');
  const shown = facts({ journalTask: '812', superOptions: ['rw', 'data=journal'] });
  assert.equal(shown.dataMode, 'journal');
});

test('both spellings of barriers off are read, from both sources', () => {
  assert.equal(facts({ superOptions: ['rw', 'nobarrier'] }).barrier, false);
  assert.equal(facts({ superOptions: ['rw', 'barrier=0'] }).barrier, false);
  assert.equal(facts({ procOptions: 'rw\nnobarrier\ndata=ordered\n' }).barrier, false);
  assert.equal(facts({ superOptions: ['rw', 'barrier=1'] }).barrier, true);
});

test('delayed allocation is on by default for ext4 only', () => {
  assert.equal(facts({}).delayedAllocation, true);
  assert.equal(facts({ superOptions: ['rw', 'nodelalloc'] }).delayedAllocation, false);
  assert.equal(facts({ fileSystem: 'ext3' }).delayedAllocation, false);
  assert.equal(facts({ procOptions: 'nodelalloc\ndata=ordered' }).delayedAllocation, false);
});

test('fast commits show in three places, and are unknown where none can be read', () => {
  const procOptions = 'delalloc\ndata=ordered\n';
  assert.equal(facts({ procOptions: `${procOptions}fc_debug_force\n` }).fastCommit, 'on');
  assert.equal(facts({ procOptions, superblock: superblock(0x404) }).fastCommit, 'on');
  assert.equal(facts({ procOptions, superblock: superblock(0x4) }).fastCommit, 'off');
  const info = 'fc stats:\n12 commits\n0 ineligible\n';
  assert.equal(facts({ procOptions, fastCommitInfo: info }).fastCommit, 'on');
  const none = 'fc stats:\n0 commits\n0 ineligible\n';
  assert.equal(facts({ procOptions, fastCommitInfo: none }).fastCommit, 'unknown');
});

test('the errors that the file system counted are read', () => {
  assert.equal(facts({ errorsCount: '3\n' }).errorsCount, 3);
  assert.equal(facts({ errorsCount: '0\n' }).errorsCount, 0);
  assert.equal(facts({}).errorsCount, null);
});
