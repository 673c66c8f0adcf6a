// Replaces a file as the README of write-file-atomic shows.
import writeFileAtomic from 'write-file-atomic';

await writeFileAtomic('state/settings.json', JSON.stringify({ theme: 'dark', version: 2 }));
console.log('saved');
