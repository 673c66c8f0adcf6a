import storage from 'node-persist';

await storage.init({ dir: process.cwd() });
await storage.setItem('name', 'old');
