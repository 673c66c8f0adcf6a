// Sets a key as the README of keyv-file shows.
import { KeyvFile } from 'keyv-file';

const store = new KeyvFile({ filename: 'state/db.json', writeDelay: 1 });
await store.set('new', 2);
console.log('set');
