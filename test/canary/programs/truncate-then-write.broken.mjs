// The old content is destroyed before the new one is there: no sync can help.
import fs from 'node:fs';

const file = fs.openSync('settings.json', 'w'); // not atomic from here
fs.writeSync(file, '{"version":2,"theme":"dark"}');
fs.fsyncSync(file);
fs.closeSync(file);
console.log('saved');
