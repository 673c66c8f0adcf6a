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

/** Explores under ext4 and takes what is found to the kernel's ext4. */
async function confirmed(trace: Trace): Promise<{ messages: string[]; answers: KernelAnswer[] }> {
  const checker = new OldOrNewOracle(trace);
  const { runs } = await runLab(trace, { models: [modelByName('ext4')], checker });
  const messages = runs.flatMap(({ findings }) => findings.map(({ message }) => message));
  const finding = { models: ['ext4'], messages };
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

test('a finding of a model without a kernel is not tried', async () => {
  const trace = replacing().build();
  const finding = { models: ['apfs-fsync'], messages: ['anything'] };
  const answers = await confirmFindings(trace, [finding], new OldOrNewOracle(trace));
  assert.deepEqual(answers, [[]]);
  assert.match(confirmationText(answers[0] ?? []).join(), /not tried/);
});
