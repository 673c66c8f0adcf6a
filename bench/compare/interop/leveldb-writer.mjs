/** Writes the script to a new LevelDB directory, says so, and waits to be killed: nothing is flushed to tables. */

import { ClassicLevel } from 'classic-level';

import { SCRIPT } from './script.mjs';

const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
const db = new ClassicLevel(process.argv[2], { writeBufferSize: 64 << 20, ...encodings });
await db.open();
for (const batch of SCRIPT) {
  const operations = batch.map(({ type, key, value }) => {
    const bytes = Buffer.from(key, 'latin1');
    return type === 'del'
      ? { type, key: bytes }
      : { type, key: bytes, value: Buffer.from(value, 'latin1') };
  });
  await db.batch(operations);
}
console.log('written');
setInterval(() => undefined, 1000);
