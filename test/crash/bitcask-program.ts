/**
 * A process that uses a Bitcask store until it is killed: `node bitcask-program.js DIRECTORY MARKS SEED`. It judges what
 * the processes before it left (MARKS: what they said, as lines), and says what it does and what it was promised on
 * standard output, a line each, before it goes on. A process that is killed loses nothing that was kept, whatever the
 * policy: the operating system has it.
 */

import { readFileSync, writeSync } from 'node:fs';

import { Prng } from '../../src/base/prng.ts';
import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { batchOfLabel, sameState, stateOfLabels, stateOfStore } from '../support/engine-commit.ts';
import { demandsOf, judgeState } from '../support/promise-oracle.ts';

const [directory = '', marksPath = '', seed = '1'] = process.argv.slice(2);
const marks = readFileSync(marksPath, 'utf8').split('\n').filter(Boolean);
const prng = new Prng(Number(seed));
const POLICIES: readonly SyncPolicy[] = ['sync', 'batch', 'none', 'none'];

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

const engine = await bitcaskKind.open(directory, {
  maxFileSize: 16 << 10,
  preallocateBytes: prng.below(2) === 0 ? 0 : 16 << 10,
});
const state = stateOfStore(engine);
const demands = demandsOf(marks);
let shown: readonly string[] = [];
const wrong = judgeState(demands, (commits) => {
  shown = commits;
  return sameState(state, stateOfLabels(commits));
});
wrong.push(...(await engine.verify()).damage.map(({ message }) => `P4: ${message}`));
if (wrong.length > 0) {
  console.error(wrong.join('; '));
  process.exit(1);
}
say(['opened', '0', ...shown].join(' '));

let count = 0;

function changes(): string {
  const key = 'abcdefgh'[prng.below(8)];
  if (prng.below(4) === 0) return `${key}*${1 + prng.below(9)}-`;
  return `${key}*${1 + prng.below(9)}=${prng.below(1200)}`;
}

function issue(): { label: string; policy: SyncPolicy; kept: () => void } {
  const label = `${seed}.${count++}:${changes()}`;
  say(`issue ${label}`);
  const kept = (): void => say(`durable ${label}`);
  return { label, policy: POLICIES[prng.below(POLICIES.length)] ?? 'sync', kept };
}

for (;;) {
  switch (prng.below(24)) {
    case 0:
      await engine.compact();
      break;
    case 1:
      void engine.compact();
      break;
    case 2:
    case 3: {
      const { label, policy, kept } = issue();
      engine.writeSync(batchOfLabel(label), policy);
      kept();
      break;
    }
    default:
      await Promise.all(
        [1, 2, 3].map(async () => {
          const { label, policy, kept } = issue();
          await engine.write(batchOfLabel(label), policy);
          kept();
        }),
      );
  }
}
