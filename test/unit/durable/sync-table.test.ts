import assert from 'node:assert/strict';
import { test } from 'node:test';

import { currentRuntime, currentSyncRules, syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { SyncCell, SyncRules, SyncRuntime } from '../../../src/durable/sync-table.ts';

const RUNTIMES: readonly SyncRuntime[] = ['node', 'bun', 'deno'];
const PLATFORMS = ['linux', 'android', 'darwin', 'win32', 'freebsd'];

function cells(rules: SyncRules): readonly SyncCell<string>[] {
  return [rules.bytes, rules.file, rules.durableWrites, rules.names, rules.newDirectory];
}

test('every cell of every row names its source', () => {
  for (const platform of PLATFORMS) {
    for (const runtime of RUNTIMES) {
      for (const cell of cells(syncRulesFor(platform, runtime))) {
        assert.ok(cell.sources.length > 0, `${platform} ${runtime} ${cell.call}`);
        for (const source of cell.sources) assert.ok(source.length > 10, source);
      }
    }
  }
});

test('Linux syncs bytes with fdatasync, names with a directory sync, and has durable writes', () => {
  const rules = syncRulesFor('linux', 'node');
  assert.equal(rules.bytes.call, 'datasync');
  assert.equal(rules.file.call, 'sync');
  assert.equal(rules.names.call, 'directory-sync');
  assert.equal(rules.newDirectory.call, 'directory-sync');
  assert.equal(rules.durableWrites.call, 'open-flag');
  assert.deepEqual({ ...syncRulesFor('android', 'node'), platform: 'linux' }, rules);
});

test('macOS asks the drive to flush under Node and Deno, and Bun does not', () => {
  assert.equal(syncRulesFor('darwin', 'node').bytes.systemCall, 'fcntl F_FULLFSYNC');
  assert.equal(syncRulesFor('darwin', 'deno').bytes.systemCall, 'fcntl F_FULLFSYNC');
  const bun = syncRulesFor('darwin', 'bun');
  assert.equal(bun.bytes.systemCall, 'fsync');
  assert.equal(bun.bytes.confidence, 'weaker');
  assert.equal(bun.names.confidence, 'weaker');
});

test('Windows flushes the file under its new name, has no directory sync, and only assumes names', () => {
  const rules = syncRulesFor('win32', 'node');
  assert.equal(rules.names.call, 'flush-new-file');
  assert.equal(rules.names.confidence, 'assumed');
  assert.equal(rules.newDirectory.call, 'none');
  assert.equal(rules.durableWrites.call, 'none');
});

test('a platform that nobody looked into gets the strongest portable calls, as an assumption', () => {
  const rules = syncRulesFor('sunos', 'node');
  assert.equal(rules.bytes.call, 'sync');
  assert.equal(rules.names.call, 'directory-sync');
  assert.equal(rules.names.confidence, 'assumed');
});

test('the runtime is known by its version, and this program has a row', () => {
  assert.equal(currentRuntime({ node: '20.0.0' }), 'node');
  assert.equal(currentRuntime({ node: '20.0.0', bun: '1.4.5' }), 'bun');
  assert.equal(currentRuntime({ node: '20.0.0', deno: '2.9.6' }), 'deno');
  assert.equal(currentSyncRules().platform, process.platform);
});
