// Replaces a file as the README of atomically shows.
import { writeFile } from 'atomically';

await writeFile('state/settings.json', JSON.stringify({ theme: 'dark', version: 2 }));
console.log('saved');
