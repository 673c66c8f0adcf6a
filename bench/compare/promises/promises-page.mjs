/** The page of what was found: a table of all stores, then each of them with what its documentation says. */

import { STORES } from './stores.mjs';

/** File systems with a journal; `posix` is looked at, not explored whole. */
const JOURNALLED = ['ext4', 'ext4-journal', 'xfs', 'btrfs'];

/** `isPromised` says of a store's documentation whether it does. */
const COLUMNS = [
  {
    title: 'what returned is there',
    kinds: ['lost put', 'lost batch'],
    isPromised: ({ lasts }) => lasts.promised,
  },
  {
    title: 'batches whole, all in order',
    kinds: ['torn', 'order', 'damaged'],
    isPromised: () => true,
  },
  { title: 'it opens again', kinds: ['refused'], isPromised: ({ opens }) => opens },
  { title: 'it opens where it was being made', kinds: ['half-made'], isPromised: () => false },
];

const WORDS = {
  'lost put': 'lost',
  'lost batch': 'lost',
  torn: 'torn',
  order: 'out of order',
  damaged: 'damaged',
  refused: 'does not open',
  'half-made': 'does not open',
};

function runsOf({ rounds }) {
  return rounds.flatMap(({ models, ...round }) => models.map((run) => ({ ...run, ...round })));
}

/** The store had taken writes, and does not open. */
const isRefused = ({ tally }) => (tally.refused ?? 0) > 0;

function cell(result, { kinds, isPromised }) {
  const isWritten = isPromised(STORES[result.store]);
  const runs = runsOf(result).filter(({ model }) => JOURNALLED.includes(model));
  const failed = runs.filter(({ tally }) => kinds.some((kind) => tally[kind] > 0));
  if (failed.length > 0) {
    const seen = kinds.filter((kind) => failed.some(({ tally }) => tally[kind] > 0));
    const what = [...new Set(seen.map((kind) => WORDS[kind]))].join(', ');
    const where = [...new Set(failed.map(({ model }) => model))];
    const places = where.length === JOURNALLED.length ? 'all four' : where.join(', ');
    return isWritten ? `**${what}**: ${places}` : `not promised; ${what}: ${places}`;
  }
  const cut = runs.filter(
    (run) => !run.complete || run.unmodelled.length > 0 || run.doubts.length > 0,
  );
  if (cut.length > 0) {
    const disks = runs.reduce((sum, run) => sum + run.disks, 0).toLocaleString('en');
    return `incomplete: none of ${disks} disks`;
  }
  const isShut = !kinds.includes('half-made') && runs.some(isRefused);
  const kept = isShut ? 'kept where it opens' : 'kept';
  return isWritten ? kept : `${kept}, not promised`;
}

function summary(results) {
  return [
    `| store | ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `|---|${COLUMNS.map(() => '---').join('|')}|`,
    ...results.map((result) => {
      const cells = COLUMNS.map((column) => cell(result, column));
      return `| ${result.store} ${result.version} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}

const ROUNDS = ['made anew', 'opened again'];

function modelRow({ round, model, disks, complete, failing, tally }) {
  const what = Object.entries(tally).map(([kind, count]) => `${kind} ${count}`);
  const words = what.length === 0 ? '–' : what.join(', ');
  return `| ${ROUNDS[round]} | ${model} | ${disks}${complete ? '' : ', cut'} | ${failing} | ${words} |`;
}

/** Findings by what is missing and what shows, with the models that have them. */
function causes(result) {
  const groups = new Map();
  const { lasts } = STORES[result.store];
  for (const { round, model, findings } of runsOf(result)) {
    for (const finding of findings) {
      const shows = finding.message.split(':')[0];
      // What nobody promised needs no cause.
      if (shows.startsWith('lost') && !lasts.promised) continue;
      const key = JSON.stringify([round, shows, finding.missing ?? finding.crashAfter]);
      const group = groups.get(key) ?? { ...finding, round, shows, models: [] };
      group.models.push(model);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map((one) => {
    const lost = one.lost.length === 0 ? 'nothing, the cut alone is enough' : one.lost.join('; ');
    const missing =
      one.missing === null ? 'no sync added to the trace repairs it' : `missing: ${one.missing}`;
    return (
      `- ${ROUNDS[one.round]}, ${one.models.join(', ')}: \`${one.message}\`. Lost in the smallest case: ${lost}` +
      `, with the cut after ${one.crashAfter ?? 'the start'}; ${missing}.`
    );
  });
}

function section(result) {
  const { store, version } = result;
  const { lasts } = STORES[store];
  const runs = runsOf(result);
  const unmodelled = [...new Set(runs.flatMap((run) => run.unmodelled))];
  const doubts = [...new Set(runs.flatMap((run) => run.doubts))];
  const found = causes(result);
  const examples = [...new Set(runs.map(({ first }) => first).filter((first) => first !== null))];
  return [
    `### ${store} ${version}`,
    `Its documentation on a write that returned and a power cut: ${lasts.says} (${lasts.source}). So that it lasts is ${lasts.promised ? 'promised' : 'not taken as promised'} here.`,
    [
      '| store | model | disks | failing | what they show |',
      '|---|---|---:|---:|---|',
      ...runs.map(modelRow),
    ].join('\n'),
    ...(examples.length > 0
      ? [`The first that failed: ${examples.map((one) => `\`${one}\``).join('; ')}.`]
      : []),
    ...(found.length > 0 ? [found.join('\n')] : []),
    ...(lasts.note === undefined ? [] : [lasts.note]),
    ...(unmodelled.length > 0 ? [`Not modelled: ${unmodelled.join('; ')}.`] : []),
    ...(doubts.length > 0 ? [`Doubts: ${doubts.join('; ')}.`] : []),
  ].join('\n\n');
}

const ABOUT = `# Promises, measured

What stores that run in Node.js have kept of their answers after a power cut, ours and others, by the same program and the
same judge. \`npm ci --prefix bench/compare && npm run promises\` of the repository repeats it (Linux, with strace); figures
and findings are in \`bench/results/promises.json\` there, traces in \`build/promises\`.

**The program** makes a store and, in a second run, opens the one that is there: a put, a batch of two, a put, a batch that
puts and deletes, a put, each awaited, then a close. Values have three bytes: what a value of many pages does is not shown
here. Its calls are recorded with strace; a recording in which two writes to the same bytes were under way at once is made
again, because strace does not tell where a write with \`O_APPEND\` went.

**The laboratory** works out every disk that a power cut could leave at each moment, under four [models](../../docs/models/index.md) of
file systems of Linux: ext4, XFS and btrfs as they are mounted by default, and ext4 with its data in the journal. A fifth,
\`posix\`, is the weakest disk there is (ext2 comes near it): of it 600 disks of each run are looked at, and it counts in no
cell of the first table.

**The judge** is the same store, opened on that disk: it has to show the state after some step, and no earlier one than what
had been told. It has to pass the disk as the program left it; a disk that fails in a new way, and every twentieth
(after 2,000 of a run every two hundredth), is judged again by a process that has seen no other. Files that a store makes anew (\`*-shm\`, \`lock.mdb\`) are taken as
absent. lmdb opens with \`safeRestore\`: it does so by itself after a restart of the machine, which it knows by the kernel's
boot number, and here that stays the same. Holdfast's own stores are opened in memory, on the same bytes.

- _kept_: no disk that the four models allow fails, and all of them were looked at.
- _incomplete_: none of so many disks fails, and there are more.
- _lost_, _torn_, _out of order_, _does not open_: some disk of these models shows it. In bold, where the documentation says
  otherwise; _not promised_, where it does not. What is promised is said below, with its place.
- _kept where it opens_: the same, but some disk does not open, and there nothing could be read.
- The last column is about a store whose very first opening was cut, with no write told: nothing is lost, but the directory
  has to be removed by hand. Nobody promises anything of it.

A finding under a model is no finding on a kernel: none of these was repeated on one. [found.md](../../docs/found.md) has those.`;

export function promisesPage(results) {
  return [ABOUT, '## All', summary(results), '## Each', ...results.map(section), ''].join('\n\n');
}
