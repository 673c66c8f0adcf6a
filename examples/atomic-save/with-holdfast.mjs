// Saves settings with Holdfast, and then tells the world.
import { writeFile } from 'holdfast/durable';

await writeFile('settings.json', JSON.stringify({ theme: 'dark', version: 2 }));
console.log('saved');
