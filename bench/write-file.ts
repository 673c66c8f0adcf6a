/**
 * Replacing a small file: Holdfast's `writeFile` beside the same system calls made by hand and
 * beside the packages that people use. `npm run bench:write-file`, with a directory on the disk to
 * measure as argument.
 */

import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import * as atomically from 'atomically';

import { writeFile, writeFileSync } from '../src/durable/index.ts';
import { describeMachine } from './machine.ts';
import { measure, speedRatio } from './rounds.ts';
import type { Contestant, Figures } from './rounds.ts';

interface WriteFileAtomic {
  (path: string, data: Uint8Array): Promise<void>;
  sync(path: string, data: Uint8Array): void;
}

const writeFileAtomic = createRequire(import.meta.url)('write-file-atomic') as WriteFileAtomic;

const DATA_BYTES = 128;
const ROUNDS = 60;
const RUNS = 10;
/** In memory where possible: compiled code is what is compared, not the compiler. */
const WARM_UP = 3000;
const WARM_UP_DIRECTORY = '/dev/shm';
const AT_ONCE = 16;

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = fs.constants;

/** The calls that a durable replacement cannot do without, and nothing else. */
function byHand(directory: string, path: string, temporary: string, data: Uint8Array): void {
  const names = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  const file = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  fs.writeSync(file, data, 0, data.length, 0);
  fs.fsyncSync(file);
  fs.closeSync(file);
  fs.renameSync(temporary, path);
  fs.fsyncSync(names);
  fs.closeSync(names);
}

/** The same, and the two looks that keeping mode, owner and links costs. */
function byHandKeeping(directory: string, path: string, temporary: string, data: Uint8Array): void {
  const existing = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const names = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  const file = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  fs.writeSync(file, data, 0, data.length, 0);
  if (existing !== undefined) fs.fstatSync(file, { bigint: true });
  fs.fsyncSync(file);
  fs.closeSync(file);
  fs.renameSync(temporary, path);
  fs.fsyncSync(names);
  fs.closeSync(names);
}

function contestants(directory: string): Readonly<Record<string, Contestant>> {
  const data = new Uint8Array(DATA_BYTES).fill(7);
  const path = (name: string): string => join(directory, name);
  const many = Array.from({ length: AT_ONCE }, (_, index) => index);
  return {
    hand: {
      name: 'by hand: the bare calls, blocking',
      run: (index) => byHand(directory, path('hand'), path(`.hand-${index}.tmp`), data),
    },
    keeping: {
      name: 'by hand, keeping mode and owner',
      run: (index) => byHandKeeping(directory, path('keep'), path(`.keep-${index}.tmp`), data),
    },
    sync: { name: 'holdfast writeFileSync', run: () => writeFileSync(path('sync'), data) },
    rivalSync: {
      name: 'write-file-atomic sync ¹',
      run: () => writeFileAtomic.sync(path('wfa-sync'), data),
    },
    otherSync: {
      name: 'atomically writeFileSync ¹',
      run: () => atomically.writeFileSync(path('at-sync'), Buffer.from(data)),
    },
    awaited: { name: 'holdfast writeFile, awaited', run: () => writeFile(path('awaited'), data) },
    rival: {
      name: 'write-file-atomic, awaited ¹',
      run: () => writeFileAtomic(path('wfa'), data),
    },
    other: {
      name: 'atomically writeFile, awaited ¹',
      run: () => atomically.writeFile(path('at'), Buffer.from(data)),
    },
    many: {
      name: `holdfast writeFile, ${AT_ONCE} files at once`,
      run: async () => {
        await Promise.all(many.map((each) => writeFile(path(`many-${each}`), data)));
      },
    },
    rivalMany: {
      name: `write-file-atomic, ${AT_ONCE} files at once ¹`,
      run: async () => {
        await Promise.all(many.map((each) => writeFileAtomic(path(`wfa-many-${each}`), data)));
      },
    },
  };
}

/** Runs every contestant until its code is compiled. */
async function warmUp(directory: string): Promise<void> {
  const inMemory = fs.existsSync(WARM_UP_DIRECTORY);
  const place = fs.mkdtempSync(join(inMemory ? WARM_UP_DIRECTORY : directory, 'warm-up-'));
  const rounds = { rounds: 0, runs: 0, warmUp: inMemory ? WARM_UP : WARM_UP / 10 };
  try {
    for (const [key, contestant] of Object.entries(contestants(place))) {
      if (!key.toLowerCase().includes('many')) await measure([contestant], rounds);
    }
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const [parent = tmpdir()] = parseArgs({ allowPositionals: true }).positionals;
  const directory = fs.mkdtempSync(join(parent, 'holdfast-bench-'));
  try {
    const named = contestants(directory);
    await warmUp(directory);
    // Those that write many files leave work behind that would be paid by whoever comes next.
    const options = { rounds: ROUNDS, runs: RUNS, warmUp: RUNS };
    const { many, rivalMany, ...single } = named;
    const all = [
      ...(await measure(Object.values(single), options)),
      ...(await measure(
        [many, rivalMany].filter((each) => each !== undefined),
        options,
      )),
    ];
    const of = (key: string): Figures => {
      const figures = all.find((each) => each.name === named[key]?.name);
      if (figures === undefined) throw new Error(`nothing was measured for ${key}`);
      return figures;
    };
    const bases: Readonly<Record<string, string>> = {
      keeping: 'hand',
      sync: 'hand',
      rivalSync: 'hand',
      otherSync: 'hand',
      awaited: 'rival',
      other: 'rival',
      many: 'rivalMany',
    };
    const rows = Object.keys(named).map((key) => {
      const base = bases[key];
      const ratio = base === undefined ? '1' : speedRatio(of(key), of(base)).toFixed(2);
      const against = base === undefined ? '' : ` × ${named[base]?.name.replace(' ¹', '') ?? ''}`;
      return `| ${of(key).name} | ${of(key).medianMs.toFixed(3)} | ${ratio}${against} |`;
    });
    const keeping = speedRatio(of('sync'), of('keeping')).toFixed(2);
    process.stdout.write(
      [
        `${describeMachine(parent)}; ${ROUNDS} rounds of ${RUNS}, ${DATA_BYTES} bytes`,
        '',
        '| | ms | speed |',
        '|---|---|---|',
        ...rows,
        '',
        `writeFileSync is ${keeping} × by hand, keeping mode and owner.`,
        '¹ does not sync the directory: a power cut may bring the old file back.',
        '',
      ].join('\n'),
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

await main();
