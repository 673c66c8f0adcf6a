/**
 * Takes the syncs of a program away, one at a time, and asks the laboratory whether it sees the difference. Each
 * sync has two mutants: one without it ("dropped"), and one in which it comes only after the next change of the
 * disk ("postponed"): its order. A file opened for durable writes has one: opened without. Where asked for, a rename
 * or removal is made only after the next change ("reordered"). A mutant that no model catches has survived: the sync
 * protects nothing in this program, or the check does not ask for what it protects.
 *
 * Where the caller names places in the code (`placeOf`), all calls of a place go together instead, as when its line
 * were not there.
 */

import assert from 'node:assert/strict';

import { UsageError } from '../../src/base/errors.ts';
import { captureStack } from '../../src/lab/record/js-stack.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { findsFailure } from '../../src/lab/suite/explore-crash-test.ts';
import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { VfsCall, VfsCallName } from '../../src/vfs/vfs-call.ts';
import type { OpenOptions, Vfs, VfsFile } from '../../src/vfs/vfs.ts';

export type MutationKind = 'dropped' | 'postponed' | 'opened without sync' | 'reordered';

export interface Mutation {
  readonly kind: MutationKind;
  /** 1 is the first sync of the program, its first open for durable writes, or its first rename or removal. */
  readonly nth: number;
}

/** Strikes each call of a place in the code. */
export interface PlaceMutation {
  readonly kind: MutationKind;
  /** Whether a call is of the place; `what` as in `Mutant`. */
  readonly at: (what: string) => boolean;
}

export interface Mutant extends Mutation {
  /** What was mutated: `fdatasync in syncedTemporary, replaceOnce`; the same from run to run. */
  readonly what: string;
  /** The first model that caught it; null for a survivor. */
  readonly caughtBy: string | null;
}

const SYNCS: ReadonlySet<VfsCallName> = new Set(['file.sync', 'file.datasync', 'directory.sync']);
/** Changes of names that need no result, so that they can come later. */
const REORDERED: ReadonlySet<VfsCallName> = new Set(['rename', 'unlink', 'rmdir']);
const CHANGES: ReadonlySet<VfsCallName> = new Set([
  'mkdir',
  'symlink',
  'link',
  'rename',
  'unlink',
  'rmdir',
  'chmod',
  'file.write',
  'file.truncate',
  'file.chmod',
  'file.chown',
]);

/** A mutant of the program that runs on it. */
export class MutatingVfs extends ForwardingVfs {
  /** What was mutated; null until it happened. */
  met: string | null = null;
  readonly #mutation: Mutation | PlaceMutation;
  #seen = 0;
  #postponed: (() => void)[] = [];

  constructor(inner: Vfs, mutation: Mutation | PlaceMutation) {
    super(inner);
    this.#mutation = mutation;
  }

  override open(path: string, options: OpenOptions): Promise<VfsFile> {
    return super.open(path, this.#openOptions(options));
  }

  override openSync(path: string, options: OpenOptions): VfsFile {
    return super.openSync(path, this.#openOptions(options));
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    if (this.#strikes(call)) return undefined as T;
    const result = await run(call);
    this.#changed(call);
    return result;
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    if (this.#strikes(call)) return undefined as T;
    const result = run(call);
    this.#changed(call);
    return result;
  }

  #openOptions(options: OpenOptions): OpenOptions {
    const { sync, ...rest } = options;
    if (sync === undefined || this.#mutation.kind !== 'opened without sync') return options;
    return this.#isMeant(() => `open in ${callers()}`) ? rest : options;
  }

  #strikes(call: VfsCall): boolean {
    const { kind } = this.#mutation;
    if (kind === 'opened without sync') return false;
    if (!(kind === 'reordered' ? REORDERED : SYNCS).has(call.name)) return false;
    if (!this.#isMeant(() => `${syscallOf(call)} in ${callers()}`)) return false;
    if (kind === 'postponed') this.#postpone(call);
    if (kind === 'reordered') this.#postponed.push(() => this.#rename(call));
    return true;
  }

  #isMeant(what: () => string): boolean {
    const mutation = this.#mutation;
    if ('nth' in mutation) {
      this.#seen++;
      if (this.#seen !== mutation.nth) return false;
      this.met = what();
      return true;
    }
    const named = what();
    if (!mutation.at(named)) return false;
    this.met ??= named;
    return true;
  }

  #rename({ name, path, target = '' }: VfsCall): void {
    if (name === 'rename') this.inner.renameSync(path, target);
    else if (name === 'unlink') this.inner.unlinkSync(path);
    else this.inner.rmdirSync(path);
  }

  /** The program may close its handle, and rename or remove the name, before the sync is made: ours stays. */
  #postpone(call: VfsCall): void {
    try {
      if (call.name === 'directory.sync') {
        const directory = this.inner.openDirectorySync(call.path);
        this.#postponed.push(() => {
          directory.syncSync();
          directory.closeSync();
        });
      } else {
        const file = this.inner.openSync(call.path, { read: true });
        this.#postponed.push(() => {
          if (call.name === 'file.datasync') file.datasyncSync();
          else file.syncSync();
          file.closeSync();
        });
      }
    } catch (error) {
      // It has no name any more: then the sync is dropped.
      if (errorCode(error) === undefined) throw error;
    }
  }

  #changed(call: VfsCall): void {
    const creates = call.name === 'open' && call.options?.create === true;
    if (this.#postponed.length === 0 || !(creates || CHANGES.has(call.name))) return;
    const late = this.#postponed;
    this.#postponed = [];
    for (const each of late) each();
  }
}

function syscallOf({ name, path }: VfsCall): string {
  if (name === 'directory.sync') return `fsync of ${path}`;
  if (!SYNCS.has(name)) return `${name} of ${path}`;
  return name === 'file.datasync' ? 'fdatasync' : 'fsync';
}

/** The functions that called, without the dispatch; lines would change with every edit. */
function callers(): string {
  const names = captureStack()
    .filter(
      ({ file }) => /[\\/]src[\\/](?!lab[\\/])/.test(file) && !/sync-dispatch|two-forms/.test(file),
    )
    .map((frame) => frame.function.replace(/^async /, ''))
    .filter((name) => !name.startsWith('<') && name !== '(anonymous)');
  return names.slice(0, 2).join(', ') || 'the program';
}

export interface MutationRunOptions {
  /** Tried in this order until one catches the mutant. @default those of the test */
  readonly models?: CrashTest['models'];
  /** Whose syncs are taken away: each run of recovery is mutated alike. @default 'workload' */
  readonly program?: 'workload' | 'recover';
  /** @default MUTATION_KINDS */
  readonly kinds?: readonly MutationKind[];
  /** Looks for a disk that fails, under the models of the test. @default findsFailure */
  readonly finds?: (test: CrashTest) => Promise<boolean>;
}

/** What is taken away, known before it is tried. */
export type MutantName = Pick<Mutant, 'kind' | 'what'>;

export interface PlaceRunOptions extends MutationRunOptions {
  /** The place in the code, of `what` as in `Mutant`: the same from run to run. */
  readonly placeOf: (what: string) => string;
  /** Mutants about which enough is known, such as those that another test has caught: left out. */
  readonly skip?: (mutant: MutantName) => boolean;
  /** Told of each mutant once it has been tried. */
  readonly onMutant?: (mutant: PlaceMutant) => void;
}

/** All calls of a place taken away together: `what` is the place. */
export type PlaceMutant = Omit<Mutant, 'nth'>;

/** All that are about syncs. */
export const MUTATION_KINDS: readonly MutationKind[] = [
  'dropped',
  'postponed',
  'opened without sync',
];

/** Programs with more syncs are a mistake. */
const MUTANTS_MAX = 1000;

/**
 * All mutants of the test's workload.
 * @throws AssertionError when the workload itself, not mutated, fails under one of the models
 */
export async function mutationRun(
  test: CrashTest,
  options: MutationRunOptions = {},
): Promise<Mutant[]> {
  const { program = 'workload', kinds = MUTATION_KINDS, finds = findsFailure } = options;
  const models = options.models ?? test.models ?? DEFAULT_MODELS;
  assert.equal(await finds({ ...test, models }), false, 'fails without any mutation');
  const mutants: Mutant[] = [];
  for (const kind of kinds) {
    for (let nth = 1; nth <= MUTANTS_MAX; nth++) {
      const mutated = mutatedTest(test, { kind, nth }, program);
      const caughtBy = await firstCatching(
        mutated.test,
        models,
        finds,
        () => mutated.met() !== null,
      );
      const what = mutated.met();
      if (what === null) break;
      mutants.push({ kind, nth, what, caughtBy });
    }
  }
  return mutants;
}

/**
 * All mutants of the places of the test's workload, or of its recovery wherever it runs.
 * @throws AssertionError when the program itself, not mutated, fails under one of the models
 */
export async function placeMutationRun(
  test: CrashTest,
  options: PlaceRunOptions,
): Promise<PlaceMutant[]> {
  const { program = 'workload', kinds = MUTATION_KINDS, finds = findsFailure, placeOf } = options;
  const models = options.models ?? test.models ?? DEFAULT_MODELS;
  const isLeft = (mutant: MutantName): boolean => options.skip?.(mutant) !== true;
  const places = new Places(kinds, placeOf);
  const noting = withProgram(test, program, (vfs, run) => run(places.noted(vfs)));
  // The places first, at little cost: most of them are often known.
  if (program === 'workload') {
    await noting.workload(emptyDisk(test), { mark: () => undefined });
  } else {
    const found = await finds({ ...noting, models: models.slice(0, 1), nested: 0 });
    assert.equal(found, false, 'fails without any mutation');
  }
  if (!places.all().some(isLeft)) return [];
  assert.equal(await finds({ ...noting, models }), false, 'fails without any mutation');
  const mutants: PlaceMutant[] = [];
  for (const { kind, what } of places.all().filter(isLeft)) {
    const at = (each: string): boolean => placeOf(each) === what;
    const { test: mutant, met } = mutatedTest(test, { kind, at }, program);
    const caughtBy = await firstCatching(mutant, models, finds, () => met() !== null);
    if (met() === null) continue;
    mutants.push({ kind, what, caughtBy });
    options.onMutant?.({ kind, what, caughtBy });
  }
  return mutants;
}

/** What there is to take away, in the order in which it is first met. */
class Places {
  readonly #met: ReadonlyMap<MutationKind, Set<string>>;
  readonly #placeOf: (what: string) => string;

  constructor(kinds: readonly MutationKind[], placeOf: (what: string) => string) {
    this.#met = new Map(kinds.map((kind) => [kind, new Set()]));
    this.#placeOf = placeOf;
  }

  /** Strikes nothing: only notes where it could. */
  noted(inner: Vfs): Vfs {
    let vfs = inner;
    for (const [kind, met] of this.#met) {
      const at = (what: string): boolean => {
        met.add(this.#placeOf(what));
        return false;
      };
      vfs = new MutatingVfs(vfs, { kind, at });
    }
    return vfs;
  }

  all(): MutantName[] {
    return [...this.#met].flatMap(([kind, met]) => [...met].map((what) => ({ kind, what })));
  }
}

function emptyDisk({ tree }: CrashTest): Vfs {
  return tree === undefined ? new MemoryVfs() : MemoryVfs.fromTree(tree);
}

interface MutatedTest {
  readonly test: CrashTest;
  /** What was mutated in some run so far. */
  readonly met: () => string | null;
}

function mutatedTest(
  test: CrashTest,
  mutation: Mutation | PlaceMutation,
  program: 'workload' | 'recover',
): MutatedTest {
  let met: string | null = null;
  const mutated = async (vfs: Vfs, run: (vfs: Vfs) => unknown): Promise<void> => {
    const mutating = new MutatingVfs(vfs, mutation);
    try {
      await run(mutating);
    } finally {
      met ??= mutating.met;
    }
  };
  return { test: withProgram(test, program, mutated), met: () => met };
}

/** The test with one of its programs, each run of it, on another file system. */
function withProgram(
  test: CrashTest,
  program: 'workload' | 'recover',
  changed: (vfs: Vfs, run: (vfs: Vfs) => unknown) => unknown,
): CrashTest {
  const { workload, recover } = test;
  if (program === 'workload') {
    return {
      ...test,
      workload: (vfs, context) => changed(vfs, (inner) => workload(inner, context)),
    };
  }
  assert.ok(recover !== undefined, 'a recovery to mutate');
  return { ...test, recover: (vfs, context) => changed(vfs, (inner) => recover(inner, context)) };
}

/** The first model under which something fails; stops when the first one had nothing to mutate. */
async function firstCatching(
  test: CrashTest,
  models: NonNullable<CrashTest['models']>,
  finds: (test: CrashTest) => Promise<boolean>,
  isMet: () => boolean,
): Promise<string | null> {
  for (const model of models) {
    const found = await failsUnder(test, model, finds);
    if (!isMet()) return null;
    if (found) return typeof model === 'string' ? model : model.name;
  }
  return null;
}

/** A mutant that does not even work without a crash is caught as well. */
async function failsUnder(
  test: CrashTest,
  model: NonNullable<CrashTest['models']>[number],
  finds: (test: CrashTest) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await finds({ ...test, models: [model] });
  } catch (error) {
    if (error instanceof UsageError) return true;
    throw error;
  }
}

/** Survivors as lines to compare with a list, each once: `dropped: fsync in x, y`. */
export function survivorsOf(mutants: readonly Mutant[]): string[] {
  const lines = mutants
    .filter(({ caughtBy }) => caughtBy === null)
    .map(({ kind, what }) => `${kind}: ${what}`);
  return [...new Set(lines)].toSorted();
}
