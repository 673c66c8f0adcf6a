/** `--confirm`: findings of the explorer on the real kernel. Needs root and the rig's pieces. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OldOrNewOracle } from '../../src/lab/check/old-or-new-oracle.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import {
  confirmationText,
  confirmFindings,
  type KernelAnswer,
} from '../../src/lab/powercut/confirm-findings.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';
import { skipWithout } from '../support/powercut-needs.ts';

/** What write-file-atomic does, call by call: no sync of the directory. */
function replacing(): TraceBuilder {
  return new TraceBuilder({ files: { 'settings.json': 'version 1' } })
    .create('settings.json.new')
    .write('settings.json.new', 0, 'version 2')
    .fsync('settings.json.new')
    .rename('settings.json.new', 'settings.json');
}

/** Explores under the model and takes what is found to the kernel. */
async function confirmed(
  trace: Trace,
  model = 'ext4',
): Promise<{ messages: string[]; answers: KernelAnswer[] }> {
  const checker = new OldOrNewOracle(trace);
  const { runs } = await runLab(trace, { models: [modelByName(model)], checker });
  const messages = runs.flatMap(({ findings }) => findings.map(({ message }) => message));
  const finding = { models: [model], messages };
  const [answers = []] = await confirmFindings(trace, [finding], checker);
  return { messages, answers };
}

test('a missing directory sync is reproduced, with its writes', skipWithout('ext4'), async () => {
  const { messages, answers } = await confirmed(replacing().print('saved').build());
  assert.equal(messages.length, 1);
  assert.equal(answers[0]?.message, messages[0]);
  assert.match(confirmationText(answers).join(), /^reproduced on ext4: .* of \d+ block writes/);
});

test('with the sync nothing is reproduced', skipWithout('ext4'), async () => {
  const { messages, answers } = await confirmed(replacing().fsync('.').print('saved').build());
  assert.deepEqual(messages, []);
  assert.match(confirmationText(answers).join(), /^not reproduced here on ext4 \(\d+ disks/);
});

test(
  'a finding of a model that no kernel here has is tried on the nearest file systems, and says so',
  skipWithout('ext2', 'ext4-nojournal'),
  async () => {
    // The directory that it was moved out of is synced, the one that it was moved into is not.
    const trace = new TraceBuilder({ files: { 'd/note': 'note', 'e/': '' } })
      .rename('d/note', 'e/note')
      .fsync('d')
      .print('moved')
      .build();
    const { answers } = await confirmed(trace, 'posix');
    assert.deepEqual(
      answers.map(({ profile, instead }) => [profile, ...instead]),
      [
        ['ext2', 'posix'],
        ['ext4-nojournal', 'posix'],
      ],
    );
    const [ext2, nojournal] = confirmationText(answers);
    assert.match(ext2 ?? '', /^no kernel here has the model posix; .*: reproduced on ext2: e.note/);
    assert.match(nojournal ?? '', /^no kernel here has the model posix; on ext4-nojournal, /);
  },
);

test(
  'without barriers a returned sync is shown to be worth nothing',
  skipWithout('ext4'),
  async () => {
    const { answers } = await confirmed(
      replacing().fsync('.').print('saved').build(),
      'ext4+nobarrier',
    );
    assert.match(confirmationText(answers).join(), /^reproduced on ext4 with nobarrier: /);
  },
);

test('a finding that no file system of the rig is near to is not tried', async () => {
  const trace = replacing().build();
  const finding = { models: ['no-such-model'], messages: ['anything'] };
  const answers = await confirmFindings(trace, [finding], new OldOrNewOracle(trace));
  assert.deepEqual(answers, [[]]);
  assert.match(confirmationText(answers[0] ?? []).join(), /not tried/);
});
