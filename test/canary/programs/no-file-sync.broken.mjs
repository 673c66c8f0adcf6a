// A new file is renamed over the old one, and the directory synced; the new file itself never was.
import fs from 'node:fs';

fs.writeFileSync('settings.json.tmp', '{"version":2,"theme":"dark"}'); // the sync is missing here
fs.renameSync('settings.json.tmp', 'settings.json');
const directory = fs.openSync('.', 'r');
fs.fsyncSync(directory);
fs.closeSync(directory);
console.log('saved');
