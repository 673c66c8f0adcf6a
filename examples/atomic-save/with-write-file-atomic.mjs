// Saves settings with write-file-atomic, as its README shows, and then tells the world.
import writeFileAtomic from 'write-file-atomic';

await writeFileAtomic('settings.json', JSON.stringify({ theme: 'dark', version: 2 }));
console.log('saved');
