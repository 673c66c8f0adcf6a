import fs from 'node:fs';

const data = fs.openSync('data.bin', 'a');
fs.writeSync(data, 'record-2;');
fs.fdatasyncSync(data);
const index = fs.openSync('index.txt', 'a');
fs.writeSync(index, '9 9\n');
fs.fdatasyncSync(index);
console.log('appended');
