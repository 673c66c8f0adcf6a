import assert from 'node:assert/strict';
import { test } from 'node:test';

import { applyAttributesSync, creationMode } from '../../../src/durable/atomic-attributes.ts';
import type { AttributeOptions } from '../../../src/durable/atomic-attributes.ts';
import { systemError } from '../../../src/vfs/errno.ts';
import type { SystemErrorCode } from '../../../src/vfs/errno.ts';
import type { FileStat, VfsFile } from '../../../src/vfs/vfs.ts';

interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const stat = (owned: Owned): FileStat =>
  ({ ...owned, kind: 'file', size: 0 }) as unknown as FileStat;

/**
 * A file just made by user 1000 with group 1000, who is in group 50 too and may do nothing else,
 * unless `root`.
 */
function madeFile(mode: number, given: { root?: boolean; chmod?: SystemErrorCode } = {}) {
  const state = { uid: 1000, gid: 1000, mode };
  const calls: string[] = [];
  const file = {
    path: '/t',
    statSync: () => (calls.push('stat'), stat(state)),
    chownSync(uid: number, gid: number) {
      calls.push(`chown ${uid} ${gid}`);
      const allowed = given.root === true || (uid === 1000 && [1000, 50].includes(gid));
      if (!allowed) throw systemError('EPERM', 'fchown', '/t');
      Object.assign(state, { uid, gid, mode: state.mode & 0o1777 });
    },
    chmodSync(bits: number) {
      calls.push(`chmod ${bits.toString(8)}`);
      if (given.chmod !== undefined) throw systemError(given.chmod, 'fchmod', '/t');
      state.mode = bits;
    },
  } as unknown as VfsFile;
  const apply = (options: AttributeOptions, existing: Owned | null, platform = 'linux'): void =>
    applyAttributesSync(file, options, existing === null ? null : stat(existing), platform);
  return { state, calls, apply };
}

test('a file is made with no more rights than it will have', () => {
  const existing = stat({ uid: 0, gid: 0, mode: 0o4640 });
  assert.equal(creationMode({}, existing), 0o640);
  assert.equal(creationMode({}, null), 0o666);
  assert.equal(creationMode({ mode: false }, existing), 0o666);
  assert.equal(creationMode({ mode: 0o2750 }, existing), 0o750);
});

test('a new file without wishes costs no call', () => {
  const { apply, calls } = madeFile(0o644);
  apply({}, null);
  apply({ mode: false, chown: false }, { uid: 1, gid: 1, mode: 0o600 });
  assert.deepEqual(calls, []);
});

test('what is as it should be is not set again', () => {
  const { apply, calls } = madeFile(0o644);
  apply({}, { uid: 1000, gid: 1000, mode: 0o644 });
  assert.deepEqual(calls, ['stat']);
});

test('rights that the umask took are given back', () => {
  const { apply, state, calls } = madeFile(0o644);
  apply({}, { uid: 1000, gid: 1000, mode: 0o666 });
  assert.equal(state.mode, 0o666);
  assert.deepEqual(calls, ['stat', 'chmod 666']);
});

test('the owner comes before the mode, because a change of owner takes bits away', () => {
  const { apply, state, calls } = madeFile(0o755, { root: true });
  apply({}, { uid: 5, gid: 6, mode: 0o6755 });
  assert.deepEqual(state, { uid: 5, gid: 6, mode: 0o6755 });
  assert.deepEqual(calls, ['stat', 'chown 5 6', 'chmod 6755']);
});

test('who may not give files away keeps the group, and no set-user bit for another user', () => {
  const { apply, state } = madeFile(0o750);
  apply({}, { uid: 0, gid: 50, mode: 0o6750 });
  assert.deepEqual(state, { uid: 1000, gid: 50, mode: 0o2750 });
});

test('a group that cannot be kept leaves its rights to nobody', () => {
  const { apply, state } = madeFile(0o660);
  apply({}, { uid: 0, gid: 7, mode: 0o2664 });
  assert.deepEqual(state, { uid: 1000, gid: 1000, mode: 0o644 });
  const none = madeFile(0o660);
  none.apply({}, { uid: 1000, gid: 7, mode: 0o660 });
  assert.equal(none.state.mode, 0o600);
});

test('a mode that was asked for is set exactly, also when the owner is not kept', () => {
  const { apply, state } = madeFile(0o660);
  apply({ mode: 0o664 }, { uid: 0, gid: 7, mode: 0o600 });
  assert.equal(state.mode, 0o664);
});

test('an owner or a mode that was asked for and cannot be had is an error', () => {
  const owner = madeFile(0o644);
  assert.throws(() => owner.apply({ chown: { uid: 0, gid: 0 } }, null), { code: 'EPERM' });
  const mode = madeFile(0o644, { chmod: 'EPERM' });
  assert.throws(() => mode.apply({ mode: 0o600 }, null), { code: 'EPERM' });
});

test('an error that is not about rights is never passed over', () => {
  const { apply } = madeFile(0o644, { root: true, chmod: 'EIO' });
  assert.throws(() => apply({}, { uid: 1000, gid: 1000, mode: 0o600 }), { code: 'EIO' });
});

test('chown false keeps the maker, mode and all', () => {
  const { apply, state } = madeFile(0o640, { root: true });
  apply({ chown: false }, { uid: 5, gid: 6, mode: 0o640 });
  assert.deepEqual(state, { uid: 1000, gid: 1000, mode: 0o640 });
});

test('Windows has no owner to keep', () => {
  const { apply, calls } = madeFile(0o644);
  apply({}, { uid: 0, gid: 0, mode: 0o644 }, 'win32');
  assert.deepEqual(calls, ['stat']);
});
