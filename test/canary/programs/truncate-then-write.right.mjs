import fs from 'node:fs';

const file = fs.openSync('settings.json.tmp', 'wx');
fs.writeSync(file, '{"version":2,"theme":"dark"}');
fs.fdatasyncSync(file);
fs.closeSync(file);
fs.renameSync('settings.json.tmp', 'settings.json');
const directory = fs.openSync('.', 'r');
fs.fsyncSync(directory);
fs.closeSync(directory);
console.log('saved');
