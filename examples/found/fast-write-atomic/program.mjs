// Replaces a file as the README of fast-write-atomic shows.
import writeFile from 'fast-write-atomic';

await writeFile.promise('state/settings.json', Buffer.from('{"theme":"dark","version":2}'));
console.log('file written');
