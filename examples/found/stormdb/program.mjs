// Sets a value as the documentation of StormDB shows.
import StormDB from 'stormdb';

const db = new StormDB(new StormDB.localFileEngine('state/db.stormdb'));
db.get('list').push(1);
await db.save();
console.log('saved');
