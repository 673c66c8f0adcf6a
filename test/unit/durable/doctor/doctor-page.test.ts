import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { noteIds } from '../../../../src/durable/doctor/notes.ts';
import { reasonIds } from '../../../../src/durable/doctor/reasons.ts';

// The test runs in build/test/unit/durable/doctor.
const page = readFileSync(new URL('../../../../../docs/doctor.md', import.meta.url), 'utf8');
const sections = new Set([...page.matchAll(/^### ([a-z0-9-]+)$/gm)].map((match) => match[1]));

test('every reason and every note has its section in the page', () => {
  const without = [...reasonIds, ...noteIds].filter((id) => !sections.has(id));
  assert.deepEqual(without, []);
});

test('every section that is named for a reason or a note has one', () => {
  const known = new Set([...reasonIds, ...noteIds]);
  assert.deepEqual(
    [...sections].filter((section) => section === undefined || !known.has(section)),
    [],
  );
});
