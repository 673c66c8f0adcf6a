// Jobs that survive a crash until somebody has said that they are done. A job may run twice, and is never lost.
import { WriteAheadLog } from 'holdfast/wal';

const log = await WriteAheadLog.open('jobs');
const waiting = new Map();

// A put is a job, a delete says that it is done: what is left after all of them still waits.
for (const { kind, key, value } of log.replaySync(log.firstSequence - 1)) {
  const id = Buffer.from(key ?? []).toString();
  if (kind === 'put') waiting.set(id, JSON.parse(Buffer.from(value).toString()));
  if (kind === 'delete') waiting.delete(id);
}

async function add(id, job) {
  await log.append({ kind: 'put', key: Buffer.from(id), value: Buffer.from(JSON.stringify(job)) });
  waiting.set(id, job);
}

async function done(id) {
  await log.append({ kind: 'delete', key: Buffer.from(id) });
  waiting.delete(id);
}

if (waiting.size === 0)
  for (const id of ['a', 'b', 'c']) await add(id, { mail: `${id}@example.org` });
const [id] = waiting.keys();
console.log(`does ${id}, ${waiting.size} waited`);
await done(id);
if (waiting.size === 0) {
  await log.rotate(); // truncation takes whole segments, never the current one
  await log.truncate(log.lastSequence);
}
await log.close();
