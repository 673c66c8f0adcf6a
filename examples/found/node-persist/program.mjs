// Sets an item as the README of node-persist shows.
import storage from 'node-persist';

await storage.init({ dir: 'state' });
await storage.setItem('name', 'yourname');
console.log('set');
