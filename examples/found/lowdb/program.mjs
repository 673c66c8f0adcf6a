// Adds to a database as the README of lowdb shows.
import { JSONFilePreset } from 'lowdb/node';

const db = await JSONFilePreset('state/db.json', { posts: [] });
await db.update(({ posts }) => posts.push('hello world'));
console.log('written');
