// Everything is synced, but the new name may be on the disk before the bytes are.
import fs from 'node:fs';

const file = fs.openSync('settings.json.tmp', 'wx');
fs.writeSync(file, '{"version":2,"theme":"dark"}'); // the sync is missing here
fs.renameSync('settings.json.tmp', 'settings.json');
fs.fsyncSync(file);
fs.closeSync(file);
const directory = fs.openSync('.', 'r');
fs.fsyncSync(directory);
fs.closeSync(directory);
console.log('saved');
