/**
 * Judges one disk that a power cut could leave, in its directory: `node check.mjs STORE`. The store opens, has what
 * had been told by then, and no half of a batch. The first word says what is broken.
 */

import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';

import { STORES } from './stores.mjs';

const told = new Set(readFileSync(process.env['HOLDFAST_ACKS'], 'utf8').split('\n'));
// Nothing was told, and there is nothing.
if (!told.has('open') && !existsSync('db')) process.exit(0);

const [, open] = STORES[process.argv[2]];
let store;
let values;
try {
  store = await open('.');
  values = {};
  for (const key of ['a', 'b', 'c']) values[key] = await store.get(key);
  await store.close();
} catch (error) {
  // Nobody was told of it yet: nothing is lost, but what is there has to be removed by hand.
  const what = told.has('open') ? 'refused' : 'half-made';
  fail(what, `it does not open: ${error.cause?.message ?? error.message}`);
}
const { a, b, c } = values;
if (b !== c) fail('torn', 'half of a batch is there');
if (told.has('again') ? a !== '3' : told.has('a') && a !== '1' && a !== '3') {
  fail('lost', 'a put is gone that had returned');
}
if (told.has('deleted')) {
  if (b !== undefined) fail('lost', 'a batch is gone that had returned');
} else if (told.has('batch') && !told.has('again') && b !== '2') {
  fail('lost', 'a batch is gone that had returned');
}
process.exit(0);

function fail(what, why) {
  process.stderr.write(`${what}: ${why.replaceAll(/\d{4,}/g, 'N')}\n`);
  process.exit(1);
}
