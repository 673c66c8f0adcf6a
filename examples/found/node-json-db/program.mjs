// Pushes a value as the README of node-json-db shows, with syncOnSave.
import { Config, JsonDB } from 'node-json-db';

const db = new JsonDB(new Config('state/myDataBase', true, false, '/', true));
await db.push('/test1', 'super test');
console.log('pushed');
