import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { explore } from '../../../../src/lab/suite/explore-crash-test.ts';
import { crashTestJson } from '../../../../src/lab/suite/suite-json.ts';
import { schemaProblems } from '../../../support/json-schema.ts';

const schema: unknown = JSON.parse(
  readFileSync(
    new URL('../../../../../docs/formats/crash-test.schema.json', import.meta.url),
    'utf8',
  ),
);

for (const [what, budget, verdict] of [
  ['found', 50_000, 'found'],
  ['cut', 5, 'incomplete'],
] as const) {
  test(`the JSON of a result (${what}) is as its schema says, certificate and all`, async () => {
    const result = await explore({
      models: ['ext4', 'posix'],
      budget,
      faults: what === 'found',
      workload: (vfs, { mark }) => {
        for (const name of 'abcdefgh') {
          vfs.openSync(`/${name}`, { write: true, create: true }).closeSync();
        }
        mark('made');
      },
      check: (vfs, { marks }) => {
        const names = vfs.readDirectorySync('/');
        if (what === 'found' && marks.length > 0) assert.equal(names.length, 8);
      },
    });
    assert.equal(result.verdict, verdict);
    const json: unknown = JSON.parse(JSON.stringify(crashTestJson(result)));
    assert.deepEqual(schemaProblems(schema, json), []);
    const { certificate } = json as { certificate: { models: { statesAllowed: string }[] } };
    assert.equal(certificate.models[1]?.statesAllowed, '510');
  });
}
