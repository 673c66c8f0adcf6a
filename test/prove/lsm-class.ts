/**
 * What can be said of a disk with LSM stores, so that opening does the same on every disk of which it is said: what
 * `CURRENT` and its manifest say, the bytes of the tables that count, and the operations that the logs that count give.
 * Nothing else is acted on (`lsm-recovery`): not the rest of a torn log or manifest, nor files that only wait to be
 * removed; of their numbers only the highest counts, because the next file gets a higher one.
 */

import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import { replayLog } from '../../src/lsm/log-replay.ts';
import { CURRENT_NAME, logName, parseFileName, tableName } from '../../src/lsm/lsm-files.ts';
import { readManifest, type ManifestState } from '../../src/lsm/manifest/manifest-reader.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { contentOf, onceFor, saidInFull, sortedEntries } from './disk-facts.ts';
import { digestOf } from './wide-judge.ts';

/** What takes the place of `CURRENT`, under a name of its own each time. */
const TEMPORARY = /^\.holdfast-.*\.tmp$/;

/** For stores in directories of the root. */
export function classOfLsm({ root }: CrashedDisk): string {
  return sortedEntries(root)
    .map(
      ([name, node]) =>
        `${name}=${node.kind === 'directory' ? classOfStore(node) : saidInFull(node)}`,
    )
    .join(' ');
}

function classOfStore(store: FileTreeDirectory): string {
  try {
    return `${namesOf(store)} ${foundIn(store)}`;
  } catch (error) {
    // It is refused, for a reason that may be anywhere.
    return `${String(error)} ${saidInFull(store)}`;
  }
}

/** @throws what opening throws, or an Error where a file is missing */
function foundIn(store: FileTreeDirectory): string {
  const current = new TextDecoder().decode(contentOf(store, CURRENT_NAME));
  const name = current.slice(0, -1);
  const file = parseFileName(name);
  if (file?.kind !== 'manifest' || !current.endsWith('\n')) throw new Error('no manifest is named');
  const manifest = contentOf(store, name);
  const state = onceFor(manifest, name, () => readManifest(manifest, name, file.number));
  const tables = state.version.levels.flat().map(({ number, length }) => {
    const table = contentOf(store, tableName(number));
    if (table.length !== length) throw new Error('a table of another length');
    return onceFor(table, 'digest', () => digestOf(table));
  });
  const { logNumber, lastSequence, isOurs, tornBytes, nextFileNumber } = state;
  const facts = [name, logNumber, lastSequence, isOurs, tornBytes > 0, nextFileNumber];
  const placed = state.version.levels.map((level) => level.map(({ number }) => number));
  return JSON.stringify([facts, placed, state.compactPointers, tables, logsOf(store, state)]);
}

function logsOf(store: FileTreeDirectory, state: ManifestState): string[] {
  contentOf(store, logName(state.logNumber));
  const numbers = [...store.entries.keys()].flatMap((name) => {
    const file = parseFileName(name);
    return file?.kind === 'log' && file.number >= state.logNumber ? [file.number] : [];
  });
  const { isOurs } = state;
  let nextSequence = isOurs ? state.lastSequence + 1 : 1;
  return numbers
    .toSorted((a, b) => a - b)
    .map((number) => {
      const path = logName(number);
      const bytes = contentOf(store, path);
      const before = nextSequence;
      const [line, after] = onceFor(bytes, `${isOurs} ${before}`, () =>
        replayed(path, bytes, before),
      );
      nextSequence = after;
      return line;
    });

  function replayed(path: string, bytes: Uint8Array, before: number): [string, number] {
    const operations: string[] = [];
    const text = (from: Uint8Array, start: number, end: number): string =>
      Buffer.from(from.buffer, from.byteOffset, from.length).toString('latin1', start, end);
    const result = replayLog(
      { bytes, path, isOurs, nextSequence: before },
      {
        put: (sequence, from, keyStart, keyEnd, valueStart, valueEnd) => {
          const key = text(from, keyStart, keyEnd);
          operations.push(`${sequence} ${key}=${text(from, valueStart, valueEnd)}`);
        },
        delete: (sequence, from, keyStart, keyEnd) => {
          operations.push(`${sequence} ${text(from, keyStart, keyEnd)}-`);
        },
      },
    );
    const digest = digestOf(Buffer.from(operations.join('\n')));
    return [`${path} ${result.torn !== null} ${digest}`, result.nextSequence];
  }
}

/** The highest number that a name has, and the names without one. */
function namesOf({ entries }: FileTreeDirectory): string {
  const others = new Set<string>();
  let highest = 0;
  for (const [name, { kind }] of entries) {
    const number = parseFileName(name)?.number ?? 0;
    highest = Math.max(highest, number);
    if (number === 0) others.add(`${name.replace(TEMPORARY, '.tmp')}:${kind}`);
  }
  return `${highest} ${[...others].toSorted().join()}`;
}
