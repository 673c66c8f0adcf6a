import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import {
  NO_HOST,
  NO_START,
  SystemOwnerJudge,
  systemProbe,
} from '../../../src/durable/temporary-file-owner.ts';
import type { FileOwner, ProcessProbe } from '../../../src/durable/temporary-file-owner.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';

interface Machine {
  readonly boot?: string | null;
  readonly namespace?: string | null;
  readonly timeNamespace?: string;
  readonly machineId?: string | null;
  readonly name?: string;
  readonly platform?: string;
  readonly processId?: number;
  /** What /proc/self points to, when it is not the process itself. */
  readonly procSelf?: string;
  /** Start times by process id; a process that is not in it does not exist. */
  readonly processes?: Readonly<Record<number, number | 'unreadable'>>;
}

let drawn = 0;

/** A Linux machine whose first process-id namespace is ours, unless told otherwise. */
function machine(given: Machine = {}): ProcessProbe {
  const processId = given.processId ?? 100;
  const processes = given.processes ?? { [processId]: 5000 };
  const files: Record<string, string | null> = {
    '/proc/sys/kernel/random/boot_id': given.boot === undefined ? 'boot-1\n' : given.boot,
    '/etc/machine-id': given.machineId === undefined ? 'machine-1\n' : given.machineId,
  };
  for (const [id, start] of Object.entries(processes)) {
    const fields = `S 1 ${'0 '.repeat(17)}${start} 0`;
    files[`/proc/${id}/stat`] = start === 'unreadable' ? null : `${id} (a) b (c)) ${fields}`;
  }
  const links: Record<string, string | null> = {
    '/proc/self': given.procSelf ?? String(processId),
    '/proc/self/ns/pid': given.namespace === undefined ? 'pid:[4026531836]' : given.namespace,
    '/proc/self/ns/time': given.timeNamespace ?? 'time:[4026531834]',
  };
  return {
    platform: given.platform ?? 'linux',
    processId,
    readText: (path) => files[path] ?? null,
    readLink: (path) => links[path] ?? null,
    mayExist: (id) => id in processes,
    machineName: () => given.name ?? 'host-1',
    random: () => String((drawn += 1)).padStart(16, '0'),
  };
}

const owner = (given: Machine = {}): FileOwner => new SystemOwnerJudge(machine(given)).self;
const judge = (given: Machine = {}): SystemOwnerJudge => new SystemOwnerJudge(machine(given));

test('an owner whose process is there with the same start is alive', () => {
  const self = owner({ processId: 7, processes: { 7: 42 } });
  assert.equal(self.start, '42');
  assert.equal(judge({ processes: { 100: 1, 7: 42 } }).isDead(self), false);
});

test('an owner whose process is gone is dead', () => {
  assert.equal(judge({ processes: { 100: 1 } }).isDead(owner({ processId: 7 })), true);
});

test('an owner whose process id was given to another process is dead', () => {
  const old = owner({ processId: 7, processes: { 7: 42 } });
  assert.equal(judge({ processes: { 100: 1, 7: 9000 } }).isDead(old), true);
});

test('an owner that exists but cannot be looked at is alive', () => {
  const hidden = owner({ processId: 7, processes: { 7: 42 } });
  assert.equal(judge({ processes: { 100: 1, 7: 'unreadable' } }).isDead(hidden), false);
});

test('an owner on another host is alive, even when its process id is free here', () => {
  const other = owner({ boot: 'boot-2', machineId: 'machine-2', name: 'host-2', processId: 7 });
  assert.equal(judge().isDead(other), false);
});

test('an owner on a host with our machine id but another name is alive', () => {
  const clone = owner({ boot: 'boot-2', name: 'host-2', processId: 7 });
  assert.equal(judge().isDead(clone), false);
});

test('an owner in another process-id namespace of this boot is alive, both ways', () => {
  const inside = { namespace: 'pid:[4026532999]', processId: 7 };
  assert.equal(judge().isDead(owner(inside)), false);
  assert.equal(judge(inside).isDead(owner()), false);
});

test('an owner in a container on an earlier boot, or of another container, is alive', () => {
  const container = owner({ namespace: 'pid:[4026532999]', boot: 'boot-0', processId: 7 });
  assert.equal(container.host, NO_HOST);
  assert.equal(judge().isDead(container), false);
  assert.equal(judge({ namespace: 'pid:[4026532999]' }).isDead(container), false);
});

test('an owner of an earlier boot of this machine is dead, although its id is in use now', () => {
  const before = owner({ boot: 'boot-0', processId: 100 });
  assert.equal(judge().isDead(before), true);
});

test('without a machine id an earlier boot cannot be told from another host', () => {
  for (const machineId of [null, '', 'uninitialized\n']) {
    const before = owner({ boot: 'boot-0', machineId });
    assert.equal(judge({ machineId }).isDead(before), false);
  }
});

test('a process that knows nothing about itself judges nobody and is judged by nobody', () => {
  const blind = { namespace: null };
  assert.equal(judge(blind).isDead(owner({ namespace: null, processId: 7 })), false);
  assert.equal(judge({ boot: null }).isDead(owner({ processId: 7 })), false);
  assert.equal(judge().isDead(owner({ boot: null, processId: 7 })), false);
});

test('a /proc of another namespace is not believed', () => {
  const inner = { namespace: 'pid:[4026532999]', procSelf: '31337' };
  const self = owner({ ...inner, processId: 7, processes: { 7: 1 } });
  assert.equal(self.start, NO_START);
  const known = { ...self, start: '42' };
  assert.equal(judge({ ...inner, processes: { 100: 1, 7: 9000 } }).isDead(known), false);
});

test('start times are not compared across time namespaces', () => {
  const shifted = owner({ timeNamespace: 'time:[4026532222]', processId: 7, processes: { 7: 1 } });
  assert.equal(judge({ processes: { 100: 1, 7: 9000 } }).isDead(shifted), false);
});

test('on other systems only a free process id on the same machine is dead', () => {
  for (const platform of ['darwin', 'win32']) {
    const self = owner({ platform, processId: 7 });
    assert.equal(self.start, NO_START);
    assert.equal(judge({ platform }).isDead(self), true);
    assert.equal(judge({ platform, processes: { 100: 1, 7: 9 } }).isDead(self), false);
    assert.equal(judge({ platform, name: 'host-2' }).isDead(self), false);
  }
});

test('every part of an owner fits the name of a temporary file', () => {
  for (const given of [{}, { platform: 'darwin' }, { boot: null }, { machineId: null }]) {
    const { world, host, processId, start } = owner(given);
    assert.match(
      `${world}-${host}-${processId}-${start}`,
      /^[0-9a-f]{16}-([0-9a-f]{16}|0)-\d+-\d+$/,
    );
  }
});

test('on this machine this process is alive and an ended child is dead', async () => {
  const here = new SystemOwnerJudge(systemProbe(nodeVfs));
  assert.equal(here.isDead(here.self), false);
  const child = spawn(process.execPath, ['-e', '']);
  const { pid } = child;
  assert.ok(pid !== undefined);
  await once(child, 'exit');
  assert.equal(here.isDead({ ...here.self, processId: pid, start: '1' }), true);
});

test(
  'on Linux this process with another start time is another process',
  { skip: process.platform === 'linux' ? false : 'start times are read from /proc' },
  () => {
    const here = new SystemOwnerJudge(systemProbe(nodeVfs));
    assert.match(here.self.start, /^[1-9]\d*$/);
    assert.equal(here.isDead({ ...here.self, start: `${here.self.start}1` }), true);
  },
);
