/**
 * `holdfast models`: the crash models by name, and what one of them allows, in words. The models themselves are
 * data in `lab/model`; the evidence for each cell is in `docs/models/`.
 */

import type { CrashModel } from '../../lab/model/crash-model.ts';
import {
  DEFAULT_MODELS,
  listModels,
  listModifiers,
  modelByName,
} from '../../lab/model/model-list.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatTable, paletteFor, type Palette } from '../output.ts';

const DESCRIPTION = `
Without NAME: the list, those used when no --model is given with a star.
With NAME: what a power cut may do to a disk under that model.
`;

/** The command. */
export const modelsCommand: Command = {
  name: 'models',
  summary: 'list the crash models, or say what some of them allow',
  usage: '[NAME…] [--json]',
  description: DESCRIPTION,
  options: { json: { type: 'boolean', help: 'print the models as JSON' } },
  positionals: { min: 0, max: 100 },
  run(context, args) {
    const names = args.positionals;
    const chosen = names.length === 0 ? listModels() : names.map((name) => modelByName(name));
    const palette = paletteFor(context, context.stdout);
    if (args.flag('json')) context.stdout.write(modelsJson(chosen));
    else if (names.length === 0) context.stdout.write(modelTable(chosen, palette));
    else context.stdout.write(chosen.map((model) => modelText(model, palette)).join('\n'));
    return Promise.resolve(exitCodes.clean);
  },
};

function modelsJson(models: readonly CrashModel[]): string {
  const rows = models.map((model) => ({ ...model, default: DEFAULT_MODELS.includes(model.name) }));
  return `${JSON.stringify({ models: rows }, null, 2)}\n`;
}

function modelTable(models: readonly CrashModel[], palette: Palette): string {
  const rows = models.map(({ name, summary, kernel }) => [
    `${DEFAULT_MODELS.includes(name) ? '*' : ' '} ${palette.bold(name)}`,
    summary,
    palette.dim(kernel),
  ]);
  const modifiers = listModifiers().map(({ name, summary }) => [
    `  ${palette.bold(name)}`,
    summary,
  ]);
  return (
    `${formatTable(rows)}* used when no --model is given\n\n` +
    `behind any name, for example ext4+nobarrier:\n${formatTable(modifiers)}`
  );
}

function modelText(model: CrashModel, palette: Palette): string {
  const facts = [
    METADATA[model.metadata],
    APPEND_SIZE[model.appendSize],
    DATA[model.data],
    ...(model.data === 'own' ? [DATA_BEFORE_SIZE[model.dataBeforeSize]] : []),
    unwrittenText(model),
    model.tearBytes === 0
      ? 'A block of data is old or new, never a mixture.'
      : `A block of data may be old on one side of a multiple of ${model.tearBytes} bytes and new on the other.`,
    RENAME[model.rename],
    ...(model.reuse === 'at-once' ? [AT_ONCE] : []),
    ...(model.reuse === 'blocks-at-once' ? [BLOCKS_AT_ONCE] : []),
    FILE_SYNC[model.fileSyncBrings],
    DIRECTORY_SYNC[model.directorySyncBrings],
    ...(model.dataNeedsStream
      ? ['Bytes that were not synced show only when the changes of names before them survived.']
      : []),
    ...(model.damagesAround ? ['A torn write may damage the bytes around it.'] : []),
    ...(model.syncIsDurable ? [] : ['A returned sync puts nothing out of danger.']),
  ];
  return (
    `${palette.bold(model.name)}: ${model.summary}\n${palette.dim(`kernel: ${model.kernel}`)}\n` +
    facts.map((fact) => `  - ${fact}\n`).join('')
  );
}

const METADATA: Readonly<Record<CrashModel['metadata'], string>> = {
  stream: 'Changes of names and attributes survive in order, up to some point.',
  free: 'Changes of names and attributes survive in any combination.',
};

const APPEND_SIZE: Readonly<Record<CrashModel['appendSize'], string>> = {
  stream: 'A size that grows by writing is one of these changes, at its place in the order.',
  late: 'A size that grows by writing may come later than everything that was done after it.',
  free: 'A size that grows by writing survives or not by itself.',
};

const DATA: Readonly<Record<CrashModel['data'], string>> = {
  stream: 'Data survives in the same order as names.',
  own: 'Data is written back block by block, in any order, until it is synced.',
};

const DATA_BEFORE_SIZE: Readonly<Record<CrashModel['dataBeforeSize'], string>> = {
  none: 'A file may have its new size without any of the bytes below it.',
  last: 'A file that has its new size has the bytes of the write that brought it.',
  all: 'A file that has its new size has all the bytes that were written before.',
  'new-blocks':
    'A file that has its new size has what was written first to each of its new blocks.',
};

const UNWRITTEN: Readonly<Record<CrashModel['unwritten'][number], string>> = {
  zeros: 'zeros',
  random: 'random bytes',
  freed: 'bytes that were freed earlier',
};

function unwrittenText({ unwritten }: CrashModel): string {
  const contents = unwritten.map((content) => UNWRITTEN[content]).join(', ');
  return `Where data of a new block did not arrive, there is: ${contents}.`;
}

const RENAME: Readonly<Record<CrashModel['rename'], string>> = {
  atomic: 'A rename happens whole or not at all.',
  'source-may-stay': 'A rename switches its target at once, but the old name may stay.',
  'by-directory':
    'A rename switches its target at once, but the old name may stay; a sync of the old directory alone ' +
    'may leave a moved file in neither.',
  split: 'A rename may be half done: both names, or the target gone.',
};

const BLOCKS_AT_ONCE =
  'What was removed or cut may come back with what was written to other files since.';
const AT_ONCE =
  'What was removed may come back with what took its inode or blocks since; the name of a new file that was not ' +
  'synced itself may be removed by the repair, or lead to what was removed before.';

const FILE_SYNC: Readonly<Record<CrashModel['fileSyncBrings'], string>> = {
  nothing: 'fsync of a file brings its bytes, size and attributes, and no name.',
  creation: 'fsync of a file also brings the name it was made under, and new directories above it.',
  'names-by-fsync': 'A sync of a file brings the name it was made under, fsync every name of it.',
  names: 'fsync of a file also brings every name of it, and new directories above it.',
  stream: 'fsync of a file also brings every change of names up to its last one.',
  everything: 'fsync of a file brings everything that was done before.',
};

const DIRECTORY_SYNC: Readonly<Record<CrashModel['directorySyncBrings'], string>> = {
  entries: 'fsync of a directory brings its entries.',
  'entries-and-names':
    'fsync of a directory brings its entries, its own names, and new directories above them.',
  stream: 'fsync of a directory brings every change of names up to its last one.',
  everything: 'fsync of a directory brings everything that was done before.',
};
