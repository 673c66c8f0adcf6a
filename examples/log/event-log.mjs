// Events that are on stable storage once `record` has resolved, read again after any restart, followed as they come.
import { WriteAheadLog } from 'holdfast/wal';

const log = await WriteAheadLog.open('events');

// Callers that wait at the same moment share one flush.
function record(event) {
  return log.append(Buffer.from(JSON.stringify(event)));
}

// What a reader has not seen yet; it remembers the last sequence number that it has handled.
async function* eventsAfter(seen) {
  for await (const entries of log.replay(seen)) {
    for (const { sequence, bytes } of entries) {
      yield { sequence, ...JSON.parse(Buffer.from(bytes).toString()) };
    }
  }
}

// A subscriber in the same process gets new events as soon as they are durable.
async function follow() {
  for await (const entries of log.tail(log.lastSequence)) {
    for (const { sequence } of entries) console.log(`came: ${sequence}`);
  }
}

const following = follow();
await Promise.all(['opened', 'paid', 'shipped'].map((what) => record({ order: 17, what })));
for await (const { sequence, what } of eventsAfter(0)) console.log(`${sequence} ${what}`);
await log.close();
await following;
