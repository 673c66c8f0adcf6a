// The caller is told before the record is safe.
import fs from 'node:fs';

const log = fs.openSync('data.bin', 'a');
fs.writeSync(log, 'record-2;'); // the sync is missing here
console.log('appended');
fs.fdatasyncSync(log);
fs.closeSync(log);
