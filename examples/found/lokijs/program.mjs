// Saves a database as the documentation of LokiJS shows.
import loki from 'lokijs';

const db = new loki('state/loki.json');
db.addCollection('users').insert({ name: 'joe' });
db.saveDatabase((error) => {
  if (error) throw error;
  console.log('saved');
});
