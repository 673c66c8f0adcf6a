// Saves settings with atomically, as its README shows, and then tells the world.
import { writeFile } from 'atomically';

await writeFile('settings.json', JSON.stringify({ theme: 'dark', version: 2 }));
console.log('saved');
