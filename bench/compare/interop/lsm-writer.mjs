/** Writes entries one after the other, tells each that was acknowledged, and waits to be killed. */

import { writeSync } from 'node:fs';

import { ClassicLevel } from 'classic-level';

import { HoldfastLevel } from '../../../build/src/index.js';

const [program, directory] = process.argv.slice(2);
const db = program === 'holdfast' ? new HoldfastLevel(directory) : new ClassicLevel(directory);
await db.open();
for (let number = 1; ; number++) {
  await db.put(`key ${number}`, `value ${number}`, { sync: true });
  writeSync(1, `${number}\n`);
}
