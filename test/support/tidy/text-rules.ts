/** Rules on what stands in a file: sizes, calls with a better replacement, and what must not be committed. */

import { layerOf, type ProjectFile, type SourceFile } from './project-file.ts';
import { lineAt } from './source-text.ts';

const FILE_LINES_MAX = 500;
const FILE_LINES_SOFT = 400;
const FUNCTION_LINES_MAX = 70;

/** No file of `src` over 500 lines. */
export function checkFileSizes(sources: readonly SourceFile[]): string[] {
  return longerThan(sources, FILE_LINES_MAX).map(
    ({ path, lines }) => `${path}: ${lines} lines, at most ${FILE_LINES_MAX}: one concept a file`,
  );
}

/** The files of `src` over the soft limit: worth a look, no failure. */
export function softFileSizes(sources: readonly SourceFile[]): string[] {
  return longerThan(sources, FILE_LINES_SOFT).map(({ path, lines }) => `${path}: ${lines} lines`);
}

interface Measured {
  readonly path: string;
  readonly lines: number;
}

function longerThan(sources: readonly SourceFile[], limit: number): Measured[] {
  return sources
    .filter(({ path }) => path.startsWith('src/'))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > limit);
}

/** Where a function, method or named arrow begins, in text that Prettier has formatted. */
const FUNCTION_HEADS: readonly RegExp[] = [
  /^\s*(?:export )?(?:default )?(?:async )?function\b/,
  /^\s*(?:export )?(?:const|let) [\w$]+(?:: .*)? =\s*(?:async )?(?:<.*>)?\(.*(?:=>.*\{|\($|,$)/,
  /^\s+(?:(?:public|private|static|override|async|get|set) )*\*?(?:#?[\w$]+|\[[\w.]+\])(?:<.*>)?\((?!.*[;,]$)/,
];
const NO_FUNCTION = /^\s*(?:if|for|while|switch|catch|return|await|super|throw|new|with)\b/;

/** No function over 70 lines, from its first line to its closing brace. */
export function checkFunctionSizes(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap(({ path, code }) => {
      const lines = code.split('\n');
      return lines.flatMap((line, index) => {
        if (NO_FUNCTION.test(line) || !FUNCTION_HEADS.some((head) => head.test(line))) return [];
        const length = functionLength(lines, index);
        if (length <= FUNCTION_LINES_MAX) return [];
        return [
          `${path}:${index + 1}: a function of ${length} lines, at most ${FUNCTION_LINES_MAX}: ` +
            `give a part of it a name of its own`,
        ];
      });
    });
}

/** Lines from `start` to the line that closes at the same indentation. */
function functionLength(lines: readonly string[], start: number): number {
  const indentation = /^\s*/.exec(lines[start] ?? '')?.[0] ?? '';
  for (let index = start; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const atLevel = index === start || line.startsWith(indentation + '}');
    // `): { … } {` ends a type, not the function.
    if (atLevel && /\}[;,)]*$/.test(line.trimEnd())) return index - start + 1;
    if (index > start && line.trim() !== '' && !line.startsWith(indentation)) return 1;
    // A declaration without a body, and a statement that only looks like a head.
    if (line.startsWith(indentation) && /^\S.*;$/.test(line.slice(indentation.length))) {
      return index - start + 1;
    }
  }
  return 1;
}

interface Ban {
  readonly pattern: RegExp;
  /** Whether the ban holds for a file. */
  readonly applies: (path: string) => boolean;
  /** What to do instead. */
  readonly mend: string;
}

const SEEDED_LAYERS = [
  'base',
  'vfs',
  'durable',
  'wal',
  'engine',
  'bitcask',
  'lsm',
  'btree',
  'level',
];
const CLOCK_FILES = ['src/base/clock.ts', 'src/base/prng.ts'];

const inSrc = (path: string): boolean => path.startsWith('src/');
const inLayers =
  (layers: readonly string[], ...except: readonly string[]) =>
  (path: string): boolean =>
    layers.includes(layerOf(path) ?? '') &&
    !CLOCK_FILES.includes(path) &&
    !startsWithAny(path, except);

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix));
}

/** Words that must not stand in code (comments and strings do not count). */
const CODE_BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\s*\(|\bnew Date\s*\(\s*\)|\bperformance\.now\s*\(|\bprocess\.hrtime\b/g,
    applies: inLayers(SEEDED_LAYERS),
    mend: 'take a Clock (src/base/clock.ts) as an argument, so that tests can set the time',
  },
  {
    pattern: /\bDate\.now\s*\(|\bnew Date\s*\(\s*\)/g,
    applies: inLayers(['lab']),
    mend: 'pass the time in: the same seed must give the same run',
  },
  {
    pattern: /\bMath\.random\s*\(/g,
    applies: inLayers([...SEEDED_LAYERS, 'lab']),
    mend: 'take a Prng (src/base/prng.ts) with a seed',
  },
  {
    pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate)\s*\(/g,
    applies: inLayers(SEEDED_LAYERS),
    mend: 'use the timers of a Clock (src/base/clock.ts)',
  },
  {
    pattern: /\b#?(?:file|handle|directory)\.(?:data)?sync(?:Sync)?\s*\(|\.datasync(?:Sync)?\s*\(/g,
    applies: inLayers(
      SEEDED_LAYERS,
      'src/vfs/',
      'src/durable/sync-dispatch.ts',
      'src/durable/doctor/',
    ),
    mend: 'say what is needed to the SyncDispatch (src/durable/sync-dispatch.ts)',
  },
  {
    pattern: /(?<![.\w$])console\.\w+/g,
    applies: (path) => inSrc(path) && !path.startsWith('src/cli/'),
    mend: 'return the text or throw: only src/cli prints',
  },
  {
    pattern: /\bprocess\.exit\s*\(/g,
    // The preload stands in for the program that it records, and ends as it did.
    applies: (path) =>
      inSrc(path) && !startsWithAny(path, ['src/cli/', 'src/lab/record/register.ts']),
    mend: 'throw an error: only src/cli ends the process',
  },
  {
    pattern: /(?:[:<|&]|=>|\b(?:as|extends|is|readonly))\s*any\b(?!\s*[.(:])|,\s*any\s*>/g,
    applies: (path) => path.endsWith('.ts'),
    mend: 'unknown, and look at what it is',
  },
  {
    pattern: /(?<![.\w$])enum\s+\w+\s*\{|(?<![.\w$])namespace\s+\w+\s*\{/g,
    applies: (path) => path.endsWith('.ts'),
    mend: 'an `as const` object and a union: types must be erasable',
  },
];

/** What must not stand in code with its comments (strings do not count: they may hold programs). */
const COMMENTED_BANS: readonly Ban[] = [
  {
    pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}/g,
    applies: (path) => path.endsWith('.ts'),
    mend: 'handle the error, or say in a comment inside why nothing is the right thing to do',
  },
];

/** Words that must not stand anywhere in a source, comments included. */
const TEXT_BANS: readonly Ban[] = [
  {
    pattern: /@ts-(?:ignore|nocheck|expect-error)/g,
    applies: (path) => path.endsWith('.ts'),
    mend: 'mend the type',
  },
  {
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    applies: (path) => /\.(?:ts|mjs|md|sh)$/.test(path),
    mend: 'do it now, or open an issue and name it',
  },
];

/** Modules of Node that only some files may import. */
const MODULE_BANS: readonly { modules: RegExp; allowed: readonly string[]; mend: string }[] = [
  {
    modules: /^node:fs(?:\/|$)/,
    allowed: [
      'src/vfs/node-vfs.ts',
      'src/lab/record/',
      'src/lab/check/process-',
      'src/lab/powercut/',
      'src/lab/replay/export-directory.ts',
      'src/lab/replay/import-directory.ts',
      'src/lab/replay/remove-tree.ts',
      'src/durable/doctor/',
      'src/cli/',
    ],
    mend: 'take a Vfs (src/vfs/vfs.ts) as an argument',
  },
  {
    modules: /^node:child_process$/,
    allowed: [
      'src/lab/record/',
      'src/lab/check/process-',
      'src/lab/powercut/',
      'src/durable/doctor/',
      'src/cli/',
    ],
    mend: 'programs are started by lab/record, lab/check/process-*, lab/powercut and cli only',
  },
];

/** Calls and words that have a better replacement. */
export function checkBans(
  sources: readonly ProjectFile[],
  scanned: readonly SourceFile[],
): string[] {
  const texts = sources.flatMap(({ path, text }) =>
    TEXT_BANS.filter((ban) => ban.applies(path)).flatMap((ban) => hits(path, text, ban)),
  );
  const codes = scanned.flatMap(({ path, code }) =>
    CODE_BANS.filter((ban) => ban.applies(path)).flatMap((ban) => hits(path, code, ban)),
  );
  const commented = scanned.flatMap(({ path, unquoted }) =>
    COMMENTED_BANS.filter((ban) => ban.applies(path)).flatMap((ban) => hits(path, unquoted, ban)),
  );
  return [...texts, ...codes, ...commented];
}

function hits(path: string, text: string, { pattern, mend }: Ban): string[] {
  return [...text.matchAll(pattern)].map(
    (match) => `${path}:${lineAt(text, match.index)}: ${match[0].trim()}: ${mend}`,
  );
}

/** File system and child processes only where they belong. */
export function checkModules(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => inSrc(path))
    .flatMap(({ path, imports }) =>
      imports.flatMap(({ line, specifier }) =>
        MODULE_BANS.filter(
          ({ modules, allowed }) => modules.test(specifier) && !startsWithAny(path, allowed),
        ).map(({ mend }) => `${path}:${line}: ${specifier} is not for this file: ${mend}`),
      ),
    );
}

/** The lock file works against any registry: it names none. */
export function checkLockFile({ path, text }: ProjectFile): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      /"resolved"\s*:|https?:\/\/[^"]*\.tgz|"(?:git\+|file:)/.test(line)
        ? [
            `${path}:${index + 1}: names where a package comes from: npm install with the .npmrc here`,
          ]
        : [],
    );
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Everything that a locked package asks for is locked too, for other platforms as well: `npm ci` insists on it. */
export function checkLockComplete({ path, text }: ProjectFile): string[] {
  const { packages = {} } = JSON.parse(text) as { packages?: Record<string, LockedPackage> };
  return Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !lockedAbove(packages, from, name))
      .map(
        (name) =>
          `${path}: ${from || 'the package'} asks for ${name}, which has no entry: npm ci would refuse; ` +
          `add it (a registry that does not offer a platform makes npm leave it out)`,
      ),
  );
}

/** Whether `name` is found from the package at `from`, as Node looks for it: there, or in a folder above. */
function lockedAbove(
  packages: Readonly<Record<string, unknown>>,
  from: string,
  name: string,
): boolean {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))
  ) {
    if (Object.hasOwn(packages, `${folder === '' ? '' : `${folder}/`}node_modules/${name}`))
      return true;
    if (folder === '') return false;
  }
}

const MACHINE_PATHS = /(?<![\w.$}/-])\/(?:work|root)\/[\w.-]+/g;
const TEMPORARY_PATHS = /(?<![\w.$}/-])\/tmp\/[\w.-]+/g;
const REGISTRY_HOSTS = /https?:\/\/[^\s/'"`]*(?:registry|mirror|proxy|artifact)[^\s'"`]*/g;

/** Nothing of the machine it was written on is committed. */
export function checkMachineTraces(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const found = (pattern: RegExp, mend: string): string[] =>
      [...text.matchAll(pattern)].map(
        (match) => `${path}:${lineAt(text, match.index)}: ${match[0]}: ${mend}`,
      );
    // In tests such a path may be a sample, as in the output of another program.
    const temporary = path.startsWith('test/') ? [] : found(TEMPORARY_PATHS, 'use os.tmpdir()');
    return [
      ...temporary,
      ...found(MACHINE_PATHS, 'a path of one machine: use a relative path'),
      ...found(REGISTRY_HOSTS, 'the host of a registry: leave the choice to npm'),
    ];
  });
}

/** No binaries but the golden files of the formats. */
export function checkBinaries(files: readonly ProjectFile[]): string[] {
  return files
    .filter(({ path, text }) => text.includes('\0') && !path.startsWith('test/golden/'))
    .map(({ path }) => `${path}: a binary file: make it in the test, or put it into test/golden`);
}
