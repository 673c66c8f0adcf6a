/**
 * What every store is asked to do, and what is told when it is done: `node program.mjs STORE`. A line that is told is
 * a promise to the outside world. The keys `open` to `last` say how far it came.
 */

import { writeSync } from 'node:fs';
import process from 'node:process';

import { STORES } from './stores.mjs';

const tell = (line) => writeSync(1, `${line}\n`);
const [, open] = STORES[process.argv[2]];

const store = await open(process.argv[3]);
tell('open');
await store.put('a', '1');
tell('a');
await store.batch([
  { type: 'put', key: 'b', value: '2' },
  { type: 'put', key: 'c', value: '2' },
]);
tell('batch');
await store.put('a', '3');
tell('again');
await store.batch([
  { type: 'del', key: 'b' },
  { type: 'del', key: 'c' },
]);
tell('deleted');
await store.close();
tell('closed');
