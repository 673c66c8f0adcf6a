import { open } from 'node:fs/promises';

const log = await open('data.bin', 'a');
await log.write('record-2;');
await log.sync();
await log.close();
console.log('appended');
