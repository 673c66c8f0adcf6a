// The datafile loads, and has the old document, and the new one after it was told.
import { readFileSync } from 'node:fs';
import Datastore from '@seald-io/nedb';

const db = new Datastore({ filename: 'data.db' });
await db.loadDatabaseAsync();
const fail = (message) => {
  console.log(message);
  process.exit(1);
};
if ((await db.findOneAsync({ _id: 'a' }))?.name !== 'old') fail('the old document is gone');
const told = readFileSync(process.env.HOLDFAST_ACKS, 'utf8').includes('inserted');
if (told && (await db.findOneAsync({ _id: 'b' }))?.name !== 'new')
  fail('an inserted document is gone');
