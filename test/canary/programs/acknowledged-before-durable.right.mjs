import fs from 'node:fs';

const log = fs.openSync('data.bin', 'a');
fs.writeSync(log, 'record-2;');
fs.fdatasyncSync(log);
fs.closeSync(log);
console.log('appended');
