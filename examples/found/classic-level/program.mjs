// Puts keys as the README of classic-level shows, with sync.
import { ClassicLevel } from 'classic-level';

const db = new ClassicLevel('state/db');
await db.open();
console.log('open');
await db.put('a', '1', { sync: true });
console.log('a');
await db.put('b', '2', { sync: true });
console.log('b');
await db.close();
