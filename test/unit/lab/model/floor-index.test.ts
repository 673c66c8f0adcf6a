/** The floors by index against those by looking at everything, and how much is looked at. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FloorIndex } from '../../../../src/lab/model/floor-index.ts';
import { listModels, modelByName } from '../../../../src/lab/model/model-list.ts';
import { splitTrace, type ChangeHistory } from '../../../../src/lab/model/split-trace.ts';
import { applyFloors } from '../../../../src/lab/model/sync-floor.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { applyPlainFloors } from '../../../support/plain-floors.ts';
import { randomTrace } from '../../../support/random-trace.ts';

/** Every floor of a history, in order. */
function floorsOf({ changes, files }: ChangeHistory): number[] {
  const events = [...files.values()].flatMap(({ blocks }) =>
    [...blocks.values()].flatMap((block) => block.events.map(({ floorEnd }) => floorEnd)),
  );
  return [...changes.flatMap(({ floorEnd, aloneFrom }) => [floorEnd, aloneFrom]), ...events];
}

test('random programs have the floors that looking at everything for every sync gives', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { trace, steps } = randomTrace(seed, 14);
    for (const model of listModels()) {
      const [indexed, plain] = [splitTrace(trace, model), splitTrace(trace, model)];
      const context = `seed ${seed}, ${model.name}: ${steps.join('; ')}`;
      assert.deepEqual(applyFloors(indexed), applyPlainFloors(plain), context);
      assert.deepEqual(floorsOf(indexed), floorsOf(plain), context);
    }
  }
});

/** How much is looked at for each of so many rounds of a program. */
function workFor(
  rounds: number,
  model: string,
  round: (builder: TraceBuilder, at: number) => void,
): number {
  const builder = new TraceBuilder({ files: { log: 'old', data: 'x'.repeat(100) } });
  for (let at = 0; at < rounds; at++) round(builder, at);
  const history = splitTrace(builder.build(), modelByName(model));
  const index = new FloorIndex(history);
  applyFloors(history, index);
  return index.visited / rounds;
}

test('what is looked at for a sync does not grow with the length of the run', () => {
  const programs: Readonly<Record<string, (builder: TraceBuilder, at: number) => void>> = {
    'a log': (builder) => builder.append('log', 'line\n').fdatasync('log'),
    'in place': (builder) => builder.write('data', 3, 'new').fsync('data'),
    'new files': (builder, at) => builder.create(`f${at}`).append(`f${at}`, 'x').fsync(`f${at}`),
    'replaced files': (builder, at) =>
      builder
        .create(`t${at}`)
        .append(`t${at}`, 'x')
        .fsync(`t${at}`)
        .rename(`t${at}`, 'log')
        .fsync('.'),
  };
  for (const [name, round] of Object.entries(programs)) {
    for (const model of [
      'ext4',
      'ext4-journal',
      'xfs',
      'btrfs',
      'apfs-fullfsync',
      'posix',
      'prefix',
    ]) {
      const [few, many] = [workFor(30, model, round), workFor(300, model, round)];
      assert.ok(
        many < few * 1.5 + 5,
        `${name} under ${model}: ${few}, then ${many} for each round`,
      );
    }
  }
});
