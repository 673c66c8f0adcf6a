/**
 * The models against the table of the reference, cell by cell where it is definite, and against a golden text
 * file with all that they allow, so that a change of a model shows. No kernel is asked here: see
 * `test/root/litmus.test.ts`.
 *
 * After a change that is meant: `UPDATE_GOLDEN=1 node build/test/litmus/models.test.js`, and look at the difference.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  allowedOutcomes,
  allowedPage,
  litmusModelNames,
} from '../../src/lab/litmus/allowed-page.ts';
import { litmusPrograms } from '../../src/lab/litmus/litmus-list.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/litmus/golden/allowed.txt', import.meta.url));

/** Worked out once: it is most of this test's time. */
const known = new Map(litmusPrograms.map((program) => [program, allowedOutcomes(program)]));

for (const program of litmusPrograms) {
  suite(`litmus ${program.name}: ${program.question}`, () => {
    const { shown, yes, no } = program.expect;
    const answers = [
      ...yes.map((model) => [model, true] as const),
      ...no.map((model) => [model, false] as const),
    ];
    for (const [model, expected] of answers) {
      test(`${expected ? 'yes' : 'no'} on ${model}`, () => {
        const outcomes = known.get(program)?.get(model) ?? assert.fail(`no model ${model}`);
        const witnesses = outcomes.filter((outcome) => shown.test(outcome));
        const all = outcomes.join('\n');
        assert.equal(witnesses.length > 0, expected, `${program.cell}; ${model} allows:\n${all}`);
      });
    }

    test('is answered by at least one model, and its models exist', () => {
      assert.ok(answers.length > 0);
      for (const [model] of answers) assert.ok(litmusModelNames.includes(model), model);
    });
  });
}

suite('posix', () => {
  for (const model of litmusModelNames) {
    const [base = '', modifier] = model.split('+');
    // Where nothing is ordered and nothing waits, or a sync does nothing, no portable software survives.
    if (['posix', 'apfs-fsync', 'ext2', 'ext4-nojournal', 'ext4-writeback'].includes(base))
      continue;
    if (modifier !== undefined && modifier !== 'fastcommit') continue;
    test(`allows every outcome that ${model} allows`, () => {
      for (const [{ name }, outcomes] of known) {
        const posix = outcomes.get('posix') ?? [];
        const more = outcomes.get(model)?.filter((outcome) => !posix.includes(outcome));
        assert.deepEqual(more, [], name);
      }
    });
  }
});

suite('litmus programs', () => {
  test('have different names', () => {
    const names = litmusPrograms.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  test('are allowed the outcomes of the golden file', () => {
    const page = allowedPage(known);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, page);
    assert.equal(page, readFileSync(GOLDEN, 'utf8'));
  });
});
