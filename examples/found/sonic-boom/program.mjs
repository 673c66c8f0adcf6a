// Appends lines as the README of sonic-boom shows; a line is told once it was flushed.
import sonicBoom from 'sonic-boom';

const log = new sonicBoom.SonicBoom({ dest: 'state/app.log', fsync: true, sync: true });
log.write('first\n');
log.flushSync();
console.log('first');
log.write('second\n');
log.flushSync();
console.log('second');
log.end();
