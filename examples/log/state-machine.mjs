// A state that is the sum of its commands. Now and then all of it goes into a checkpoint and the commands are let go.
import { WriteAheadLog } from 'holdfast/wal';

const COMMANDS_MAX = 4;
const log = await WriteAheadLog.open('accounts');
const { checkpoint } = log.recovery;
const balances = checkpoint ? JSON.parse(Buffer.from(checkpoint.bytes).toString()) : {};
let commands = 0;

function apply({ from, to, amount }) {
  balances[from] = (balances[from] ?? 0) - amount;
  balances[to] = (balances[to] ?? 0) + amount;
  commands++;
}

for (const entry of log.replaySync(checkpoint?.upTo ?? log.firstSequence - 1)) {
  if (entry.kind === 'bytes') apply(JSON.parse(Buffer.from(entry.bytes).toString()));
}

// Logged first, applied when it is durable: who reads a balance has never seen one that a crash takes back.
async function execute(command) {
  await log.append(Buffer.from(JSON.stringify(command)));
  apply(command);
  if (commands < COMMANDS_MAX) return;
  const upTo = log.lastSequence;
  await log.rotate();
  await log.checkpoint(upTo, Buffer.from(JSON.stringify(balances)));
  await log.truncate(upTo);
  commands = 0;
}

for (const amount of [5, 10, 20]) await execute({ from: 'bank', to: 'ada', amount });
console.log(JSON.stringify(balances));
await log.close();
