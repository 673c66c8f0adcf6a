// The new file is synced and renamed; the rename is not.
import fs from 'node:fs';

const file = fs.openSync('settings.json.tmp', 'wx');
fs.writeSync(file, '{"version":2,"theme":"dark"}');
fs.fsyncSync(file);
fs.closeSync(file);
fs.renameSync('settings.json.tmp', 'settings.json'); // the sync is missing here
console.log('saved');
