// Puts an entry as the README of cacache shows.
import cacache from 'cacache';

await cacache.put('state', 'key', 'new data');
console.log('put');
