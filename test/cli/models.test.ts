import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { DEFAULT_MODELS, listModels } from '../../src/lab/model/model-list.ts';
import { testContext } from '../support/test-context.ts';

async function models(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const context = testContext();
  const code = await runCli(['models', ...words], context, commandTable, '0.0.0');
  return { code, out: context.out, err: context.err };
}

test('models lists each model once and stars those of the default set', async () => {
  const { code, out } = await models();
  assert.equal(code, 0);
  for (const { name } of listModels()) {
    const star = DEFAULT_MODELS.includes(name) ? '\\*' : ' ';
    assert.equal(out.match(new RegExp(`^${star} ${name} `, 'gm'))?.length, 1, name);
  }
});

test('models NAME says what the model allows, and different models say different things', async () => {
  const texts = await Promise.all(
    listModels().map(async ({ name, summary }) => {
      const { code, out } = await models(name);
      assert.equal(code, 0);
      assert.ok(out.startsWith(`${name}: ${summary}\n`), out);
      assert.doesNotMatch(out, /undefined/);
      return out.split('\n').slice(2).join('\n');
    }),
  );
  assert.equal(new Set(texts).size, texts.length);
});

test('models --json is the data itself', async () => {
  const { out } = await models('--json', 'posix');
  assert.deepEqual(JSON.parse(out), {
    models: listModels()
      .filter(({ name }) => name === 'posix')
      .map((model) => ({ ...model, default: true })),
  });
});

test('an unknown model is one line that lists the known ones', async () => {
  const { code, out, err } = await models('ext5');
  assert.deepEqual({ code, out }, { code: 2, out: '' });
  assert.match(err, /^holdfast models: unknown model "ext5": the models are prefix, [^\n]*\n$/);
});
