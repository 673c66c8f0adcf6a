// The write is under way when the sync starts: the sync need not cover it.
import { open } from 'node:fs/promises';

const log = await open('data.bin', 'a');
const written = log.write('record-2;'); // the sync is missing here
await log.sync();
await written;
await log.close();
console.log('appended');
