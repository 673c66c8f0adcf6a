// Writes a JSON file as the documentation of fs-extra shows.
import fs from 'fs-extra';

await fs.outputJson('state/settings.json', { name: 'fs-extra', version: 2 });
console.log('written');
