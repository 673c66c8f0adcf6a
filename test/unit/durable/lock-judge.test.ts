import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { SystemLockJudge } from '../../../src/durable/lock-judge.ts';
import type { LockProbe } from '../../../src/durable/lock-judge.ts';
import { decodeLockOwner, encodeLockOwner } from '../../../src/durable/lock-owner.ts';
import type { LockOwner } from '../../../src/durable/lock-owner.ts';

const FIRST = 'pid:[4026531836]';

interface Machine {
  readonly processId?: number;
  readonly threadId?: number;
  readonly systemThread?: number;
  readonly boot?: string;
  readonly pids?: string;
  readonly machine?: string;
  readonly host?: string;
  readonly platform?: string;
  /** Texts below /proc, beside those of every machine. */
  readonly proc?: Readonly<Record<string, string>>;
  /** Numbers that processes have; default: those with a `stat`. */
  readonly processes?: readonly number[];
}

/** The line of /proc/PID/stat. The name has what makes a careless reader fail. */
function stat(start: number, state = 'S', threads = 8, flags = 0): string {
  const fields = [state, 1, 1, 1, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, threads, 0, start, 0];
  return `77 (a) R (b) ${fields.join(' ')}`;
}

function probe(machine: Machine = {}): LockProbe {
  const { processId = 100, threadId = 0, systemThread = processId } = machine;
  const texts: Record<string, string> = {
    '/proc/sys/kernel/random/boot_id': `${machine.boot ?? 'boot-1'}\n`,
    '/etc/machine-id': `${machine.machine ?? 'machine-1'}\n`,
    [`/proc/${processId}/stat`]: stat(5000),
    [`/proc/${processId}/task/${systemThread}/stat`]: stat(5000 + threadId),
  };
  for (const [name, text] of Object.entries(machine.proc ?? {})) texts[`/proc/${name}`] = text;
  const links: Record<string, string> = {
    '/proc/self': String(processId),
    '/proc/thread-self': `${processId}/task/${systemThread}`,
    '/proc/self/ns/pid': machine.pids ?? FIRST,
    '/proc/self/ns/time': 'time:[1]',
  };
  return {
    platform: machine.platform ?? 'linux',
    processId,
    threadId,
    host: machine.host ?? 'host-1',
    readText: (path) => texts[path] ?? null,
    readLink: (path) => links[path] ?? null,
    mayExist: (id) => machine.processes?.includes(id) ?? texts[`/proc/${id}/stat`] !== undefined,
    machineName: () => 'unused',
    random: () => 'unused',
  };
}

/** A lock that process 200 of the same machine took, started at 6000. */
function owner(changes: Partial<LockOwner> = {}, by: Machine = {}): LockOwner {
  const proc = { '200/stat': stat(6000), '200/task/200/stat': stat(6000), ...by.proc };
  const { self } = new SystemLockJudge(probe({ processId: 200, ...by, proc }));
  return { ...self, nonce: 'nonce', ...changes };
}

function verdict(machine: Machine, on: LockOwner): string {
  return new SystemLockJudge(probe(machine)).verdictOn(on);
}

const LIVING = { '200/stat': stat(6000), '200/task/200/stat': stat(6000) };

test('a process with the number and the start time of the owner is the owner, and alive', () => {
  assert.equal(verdict({ proc: LIVING }, owner()), 'alive');
});

test('an owner whose number nobody has, or another process has by now, is dead', () => {
  assert.equal(verdict({}, owner()), 'dead');
  assert.equal(verdict({ proc: { '200/stat': stat(7000) } }, owner()), 'dead');
});

test('an owner that has ended and was not reaped is dead when its last thread has ended', () => {
  assert.equal(verdict({ proc: { '200/stat': stat(6000, 'Z', 1) } }, owner()), 'dead');
  assert.equal(verdict({ proc: { '200/stat': stat(6000, 'Z', 4) } }, owner()), 'ending');
});

test('an owner that is exiting or has SIGKILL pending is ending', () => {
  assert.equal(
    verdict({ proc: { ...LIVING, '200/stat': stat(6000, 'R', 8, 4) } }, owner()),
    'ending',
  );
  for (const set of ['SigPnd', 'ShdPnd']) {
    const status = `Name:\tnode\n${set}:\t0000000000000100\nSigBlk:\t0000000000000000\n`;
    assert.equal(verdict({ proc: { ...LIVING, '200/status': status } }, owner()), 'ending', set);
  }
  const blocked = 'Name:\tnode\nSigPnd:\t0000000000000000\nSigBlk:\t0000000000000100\n';
  assert.equal(verdict({ proc: { ...LIVING, '200/status': blocked } }, owner()), 'alive');
});

test('an owner whose process cannot be read but exists is alive', () => {
  assert.equal(verdict({ processes: [200] }, owner()), 'alive');
});

test('a thread that has ended, is exiting, or whose number is another one by now is dead', () => {
  const worker: Machine = {
    threadId: 3,
    systemThread: 207,
    proc: { '200/stat': stat(6000), '200/task/207/stat': stat(6500) },
  };
  const on = owner({}, worker);
  assert.equal(on.threadId, 3);
  assert.equal(on.systemThreadId, '207');
  assert.equal(verdict({ proc: worker.proc! }, on), 'alive');
  assert.equal(verdict({ proc: LIVING }, on), 'dead');
  assert.equal(verdict({ proc: { ...LIVING, '200/task/207/stat': stat(9000) } }, on), 'dead');
  const exiting = { ...LIVING, '200/task/207/stat': stat(6500, 'R', 8, 4) };
  assert.equal(verdict({ proc: exiting }, on), 'dead');
});

test('an owner of another process namespace or host is unknown, whatever its number says', () => {
  const other = owner({}, { pids: 'pid:[4026532000]' });
  assert.equal(verdict({}, other), 'unknown');
  assert.equal(verdict({}, owner({ host: 'host-2' })), 'unknown');
  assert.equal(verdict({}, owner({ machine: 'machine-2' })), 'unknown');
  assert.equal(verdict({ boot: 'boot-2' }, owner({ host: 'host-2' })), 'unknown');
  assert.equal(verdict({ boot: 'boot-2' }, other), 'unknown');
});

test('an owner of an earlier boot of this machine is dead, also when its number is in use', () => {
  assert.equal(verdict({ boot: 'boot-2', proc: LIVING }, owner()), 'dead');
});

test('inside a container another boot says nothing: it may be another machine', () => {
  const inside: Machine = { pids: 'pid:[4026532000]' };
  assert.equal(verdict({ ...inside, boot: 'boot-2' }, owner({}, inside)), 'unknown');
  assert.equal(verdict(inside, owner({}, inside)), 'dead', 'the same boot does');
});

test('without a machine id the host name tells machines apart, unless many have that name', () => {
  const named: Machine = { machine: '' };
  assert.equal(verdict({ ...named, boot: 'boot-2' }, owner({}, named)), 'dead');
  const nameless: Machine = { machine: '', host: 'localhost' };
  assert.equal(verdict({ ...nameless, boot: 'boot-2' }, owner({}, nameless)), 'unknown');
});

test('a /proc that shows another namespace is not believed', () => {
  const foreign = probe({ proc: { '200/stat': stat(7000) } });
  const judge = new SystemLockJudge({
    ...foreign,
    readLink: (path) => (path === '/proc/self' ? '4321' : foreign.readLink(path)),
  });
  assert.equal(judge.verdictOn(owner()), 'alive');
});

test('where the system tells only whether a process exists, that decides', () => {
  const elsewhere: Machine = { platform: 'darwin' };
  const on = owner({}, elsewhere);
  assert.equal(on.processStart, '');
  assert.equal(verdict({ ...elsewhere, processes: [200] }, on), 'alive');
  assert.equal(verdict({ ...elsewhere, processes: [] }, on), 'dead');
});

test('what this thread holds is alive and what it released is dead', () => {
  const judge = new SystemLockJudge(probe());
  const mine = { ...judge.self, nonce: 'mine' };
  judge.note('mine', 'held');
  assert.equal(judge.verdictOn(mine), 'alive');
  judge.note('mine', 'released');
  assert.equal(judge.verdictOn(mine), 'dead');
  judge.note('mine', 'gone');
  assert.equal(judge.verdictOn(mine), 'alive', 'another copy of this module in the thread has it');
});

test('an owner comes back from its file whole, or not at all', () => {
  const content = encodeLockOwner(owner());
  assert.deepEqual(decodeLockOwner(content), owner());
  for (let length = 0; length < content.length - 1; length++) {
    assert.equal(decodeLockOwner(content.subarray(0, length)), null, `${length} bytes`);
  }
  for (let index = 0; index < content.length - 1; index++) {
    const damaged = content.map((byte, at) => (at === index ? byte ^ 1 : byte));
    assert.equal(decodeLockOwner(damaged), null, `byte ${index}`);
  }
});

test('a lock file of a newer format has an owner of whom nothing is known', () => {
  const line = JSON.stringify({ format: 2, processId: 200, namespace: FIRST, host: 'host-1' });
  const sum = createHash('sha256').update(line).digest('hex').slice(0, 16);
  const on = decodeLockOwner(Buffer.from(`${line}\n${sum}\n`));
  assert.ok(on !== null);
  assert.equal(verdict({}, on), 'unknown');
});
