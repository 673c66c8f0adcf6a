/**
 * What every store is asked to do, and what is told when it is done: `node program.mjs STORE ROUND PLACE`. A line that is told is a promise to the outside world: the store is open, so many steps returned.
 */

import { writeSync } from 'node:fs';
import process from 'node:process';

import { steps } from './steps.mjs';
import { STORES } from './stores.mjs';

const tell = (line) => writeSync(1, `${line}\n`);
const [, , name, round, place] = process.argv;

const store = await STORES[name].open(place);
tell('open');
for (const [index, step] of steps(Number(round)).entries()) {
  const [{ key, value }] = step;
  await (step.length === 1 ? store.put(key, value) : store.batch(step));
  tell(`step ${index + 1}`);
}
await store.close();
tell('closed');
