/**
 * The append file under the laboratory: every disk that a power cut could leave, under the default
 * models, while appends of all policies and both forms are under way, zeros are written ahead and a
 * full disk refuses some.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AppendFile } from '../../src/durable/append-file.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { SyncOption } from '../../src/durable/sync-policy.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Checker, CrashedDisk, Verdict } from '../../src/lab/check/checker.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { DEFAULT_MODELS, modelByName } from '../../src/lab/model/model-list.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { RecordingVfs } from '../../src/lab/record/recording-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedVfs } from '../support/scripted-vfs.ts';

const PATH = '/log';

function record(name: string): Uint8Array {
  return Buffer.from(`<${name.repeat(30)}>`);
}

/** The whole records at the beginning of the file, as their names. */
function recordsOn(disk: CrashedDisk): string {
  const node = disk.root.entries.get('log');
  if (node?.kind !== 'file') return '';
  const text = Buffer.from(node.content).toString('latin1');
  const whole = /<([a-z])\1{29}>/y;
  let names = '';
  for (let match = whole.exec(text); match !== null; match = whole.exec(text)) names += match[1];
  return names;
}

/**
 * Marks: `durable abc` (these and nothing less is on the disk), `refused d` (never comes back). A
 * disk holds the records in the order of the calls, those that were refused left out.
 */
const CHECKER: Checker = {
  name: 'appended',
  check(disk: CrashedDisk): Verdict {
    const found = recordsOn(disk);
    const marks = disk.marks.map((mark) => mark.text.split(' '));
    const refused = marks.filter(([what]) => what === 'refused').map(([, names = '']) => names);
    for (const [what, names = ''] of marks) {
      if (what === 'durable' && !found.startsWith(names)) {
        return { ok: false, message: `'${names}' was durable, '${found}' is there` };
      }
    }
    const back = refused.find((name) => found.includes(name));
    if (back !== undefined) return { ok: false, message: `'${back}' was refused and came back` };
    const sorted = [...found].toSorted().join('');
    return found === sorted ? { ok: true } : { ok: false, message: `'${found}' is out of order` };
  },
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs `work` on a recorded append file and gives the trace. */
async function recorded(
  platform: string,
  work: (file: AppendFile, told: Told, scripted: ScriptedVfs, clock: ManualClock) => Promise<void>,
): Promise<Trace> {
  const scripted = new ScriptedVfs();
  const vfs = new RecordingVfs(scripted.vfs, { tree: scripted.memory.toTree() });
  const dispatch = new SyncDispatch(vfs, syncRulesFor(platform, 'node'));
  const clock = new ManualClock();
  const file = await AppendFile.create(PATH, { dispatch, clock, preallocateBytes: 6000 });
  await work(file, new Told(vfs), scripted, clock);
  await file.close();
  return vfs.finish();
}

/** What the outside world hears. */
class Told {
  readonly #vfs: RecordingVfs;

  constructor(vfs: RecordingVfs) {
    this.#vfs = vfs;
  }

  durable(names: string): void {
    this.#vfs.mark(`durable ${names}`);
  }

  refused(names: string): void {
    for (const name of names) this.#vfs.mark(`refused ${name}`);
  }
}

async function mixed(file: AppendFile, told: Told, scripted: ScriptedVfs): Promise<void> {
  const append = (name: string, sync: SyncOption): Promise<void> => file.append(record(name), sync);
  await append('a', 'sync');
  told.durable('a');
  await settled();
  for (const call of ['durable-write', 'write', 'datasync', 'sync'] as const) scripted.hold(call);
  const flying = Promise.all([append('b', 'sync'), append('c', 'none')]);
  await settled();
  const queued = append('d', 'batch');
  file.appendSync(record('e'), 'sync');
  told.durable('abcde');
  scripted.release();
  await Promise.all([flying, queued]);
  await append('f', 'none');
  file.appendSync(record('g'), 'batch');
  await append('h', 'sync');
  told.durable('abcdefgh');
  await append('i', 'none');
  file.syncSync();
  told.durable('abcdefghi');
}

async function fullDisk(file: AppendFile, told: Told, scripted: ScriptedVfs): Promise<void> {
  await file.append(record('a'));
  await settled();
  scripted.memory.capacityBytes = 7000;
  await file.append(record('b'), 'none');
  const long = Buffer.concat([record('c'), record('d'), new Uint8Array(7000)]);
  await assert.rejects(file.append(long), { code: 'ENOSPC' });
  told.refused('cd');
  await file.append(record('e'));
  told.durable('abe');
  assert.throws(() => file.appendSync(Buffer.concat([record('f'), new Uint8Array(7000)])));
  told.refused('f');
  file.appendSync(record('g'));
  told.durable('abeg');
}

async function window(
  file: AppendFile,
  told: Told,
  scripted: ScriptedVfs,
  clock: ManualClock,
): Promise<void> {
  await file.append(record('a'), 'batch');
  file.appendSync(record('b'), 'batch');
  clock.pass(1000);
  await settled();
  assert.equal(file.durableLength, 64);
  told.durable('ab');
  scripted.hold('datasync');
  scripted.hold('sync');
  await file.append(record('c'), 'batch');
  clock.pass(1000);
  await settled();
  file.appendSync(record('d'), 'sync');
  told.durable('abcd');
  scripted.release();
  await file.append(record('e'), 'batch');
}

for (const [name, work] of Object.entries({ mixed, fullDisk, window })) {
  for (const platform of ['linux', 'darwin']) {
    test(`append file, ${name}, ${platform}: no power cut takes what was told`, async () => {
      const trace = await recorded(platform, work);
      const models = DEFAULT_MODELS.map(modelByName);
      const result = await runLab(trace, { models, checker: CHECKER });
      const found = result.runs.flatMap((run) => run.findings.map((each) => each.message));
      assert.deepEqual(found, []);
      assert.equal(result.verdict, 'passed');
      const disks = result.runs.reduce((sum, run) => sum + run.exploration.distinct, 0);
      assert.ok(disks > 80, `${disks} disks`);
    });
  }
}

/** The trace with one sync taken away: a call, or the promise of a durable write. */
function without(trace: Trace, index: number): Trace | null {
  const operation = trace.operations[index];
  const operations = [...trace.operations];
  if (operation?.kind === 'sync') operations.splice(index, 1);
  else if (operation?.kind === 'write' && operation.durable !== 'none') {
    operations[index] = { ...operation, durable: 'none' };
  } else return null;
  return { ...trace, operations };
}

/** The functions that an operation came from, innermost first. */
function origin(trace: Trace, index: number): string {
  const stack = trace.stacks[trace.operations[index]?.stack ?? -1] ?? [];
  return stack.map((frame) => frame.function).join(' ');
}

for (const platform of ['linux', 'darwin']) {
  test(`append file, ${platform}: each sync that is taken away is missed`, async () => {
    const trace = await recorded(platform, mixed);
    const survivors: string[] = [];
    for (let index = 0; index < trace.operations.length; index++) {
      const mutant = without(trace, index);
      if (mutant === null) continue;
      const { verdict } = await runLab(mutant, {
        models: [modelByName('posix')],
        checker: CHECKER,
      });
      if (verdict !== 'found') survivors.push(origin(trace, index));
    }
    // The first is for speed, and its counted-work test is in the unit tests ("zeros are written
    // ahead"); the second is the group that a synchronous append wrote again and synced.
    const spared = ['bytes #extend', 'writeFully #write #commit #pump (anonymous)'];
    assert.deepEqual(survivors, platform === 'linux' ? spared : spared.slice(0, 1));
  });
}
