// Inserts a document as the README of NeDB shows. Loading compacts the file first.
import Datastore from '@seald-io/nedb';

const db = new Datastore({ filename: 'state/data.db' });
await db.loadDatabaseAsync();
await db.insertAsync({ _id: 'b', name: 'new' });
console.log('inserted');
