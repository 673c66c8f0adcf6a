// The index is written after the data that it points to, so it seems that it cannot be there without them.
import fs from 'node:fs';

const data = fs.openSync('data.bin', 'a');
fs.writeSync(data, 'record-2;'); // the sync is missing here
const index = fs.openSync('index.txt', 'a');
fs.writeSync(index, '9 9\n');
fs.fdatasyncSync(index);
fs.fdatasyncSync(data);
console.log('appended');
