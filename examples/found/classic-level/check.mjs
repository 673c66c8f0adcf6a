// The database opens, and has each key that was told.
import { existsSync, readFileSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';

const fail = (message) => {
  console.log(message);
  process.exit(1);
};
const told = readFileSync(process.env.HOLDFAST_ACKS, 'utf8').split('\n');
if (!told.includes('open') && !existsSync('db/CURRENT')) process.exit(0);
const db = new ClassicLevel('db', { createIfMissing: false });
try {
  await db.open();
} catch (error) {
  fail(`cannot be opened: ${error.cause?.message?.replaceAll(/\d{6}/g, 'N')}`);
}
if (told.includes('a') && (await db.get('a')) !== '1') fail('a key is gone that was put with sync');
if (told.includes('b') && (await db.get('b')) !== '2') fail('a key is gone that was put with sync');
await db.close();
