/** Rules on how the sources hang together: arrows, cycles, names, dead files, what a library entry may do. */

import { posix } from 'node:path';
import {
  layerOf,
  reachable,
  type ImportEdge,
  type ProjectFile,
  type SourceFile,
} from './project-file.ts';

/** Which folders of `src` a folder may import, besides itself. The picture is in ARCHITECTURE.md. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  vfs: ['base'],
  durable: ['vfs', 'base'],
  wal: ['durable', 'vfs', 'base'],
  engine: ['durable', 'base'],
  bitcask: ['engine', 'durable', 'vfs', 'base'],
  lsm: ['engine', 'wal', 'durable', 'vfs', 'base'],
  btree: ['engine', 'wal', 'durable', 'vfs', 'base'],
  level: ['engine', 'bitcask', 'lsm', 'btree', 'durable', 'vfs', 'base'],
  lab: ['vfs', 'base'],
  'lab/kv': ['engine', 'vfs', 'base'],
  cli: 'base vfs durable wal engine bitcask lsm btree level lab index.ts'.split(' '),
  'index.ts': ['level', 'engine', 'durable', 'base'],
};

const ALL_EDGES: readonly ImportEdge['kind'][] = ['static', 'dynamic', 'url'];

/** No arrow between folders but those of `ARROWS`. */
export function checkArrows(sources: readonly SourceFile[]): string[] {
  return inSource(sources).flatMap((source) => {
    const layer = layerOf(source.path) ?? '';
    const from = source.path.startsWith('src/lab/kv/') ? 'lab/kv' : layer;
    const allowed = ARROWS[from];
    if (allowed === undefined) {
      return [
        `${source.path}: folder src/${from} has no line in ARROWS of structure-rules.ts: add it`,
      ];
    }
    return source.imports.flatMap(({ line, target }) => {
      const to = target === undefined ? undefined : layerOf(target);
      if (target === undefined || to === layer || (to !== undefined && allowed.includes(to)))
        return [];
      return [
        `${source.path}:${line}: ${from} must not import ${to ?? target} (it may import ` +
          `${allowed.join(', ') || 'nothing'}): pass the thing in, or move it to a folder both may use`,
      ];
    });
  });
}

/** No internal module imports an `index.ts`: those are for users, and make cycles. */
export function checkIndexImports(sources: readonly SourceFile[]): string[] {
  return inSource(sources).flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => target !== undefined && posix.basename(target) === 'index.ts')
      .map(
        ({ line, specifier }) => `${path}:${line}: import the file itself instead of ${specifier}`,
      ),
  );
}

/** No cycles between files, type-only imports included. */
export function checkCycles(sources: readonly SourceFile[]): string[] {
  const byPath = new Map(inSource(sources).map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const place = trail.indexOf(path);
    if (place !== -1) {
      const cycle = [...trail.slice(place), path].map((one) => posix.basename(one)).join(' -> ');
      cycles.push(`${path}: imports itself: ${cycle}: move what both need to a third file`);
      return;
    }
    if (done.has(path)) return;
    for (const { target, kind } of byPath.get(path)?.imports ?? []) {
      // A worker started by URL runs beside its starter; that is no import.
      if (target !== undefined && kind !== 'url') visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
  return cycles;
}

/** A base name says where a file is, so it is used once (`index.ts` apart). */
export function checkUniqueNames(sources: readonly SourceFile[]): string[] {
  const first = new Map<string, string>();
  return inSource(sources).flatMap(({ path }) => {
    const name = posix.basename(path);
    const other = first.get(name);
    first.set(name, other ?? path);
    if (name === 'index.ts' || other === undefined) return [];
    return [`${path}: ${other} has the same name: put the folder in front (wal-${name})`];
  });
}

/** Every relative import leads to a file of the project. */
export function checkTargets(
  sources: readonly SourceFile[],
  files: readonly ProjectFile[],
): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return inSource(sources).flatMap(({ path, imports }) =>
    imports
      .filter(({ target, kind }) => target !== undefined && kind !== 'url' && !paths.has(target))
      .map(({ line, specifier }) => `${path}:${line}: ${specifier} is no file: mend the path`),
  );
}

/** The part of package.json that the rules read. */
export interface PackageFacts {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
}

/** Reads what the rules need from the text of package.json. */
export function packageFacts(text: string): PackageFacts {
  const parsed = JSON.parse(text) as Partial<Record<string, Record<string, unknown>>>;
  return {
    exports: parsed['exports'] ?? {},
    bin: (parsed['bin'] ?? {}) as Record<string, string>,
    dependencies: Object.keys(parsed['dependencies'] ?? {}),
  };
}

/** The sources that the subpaths of the package stand for. */
export function libraryEntries({ exports }: PackageFacts): string[] {
  return Object.values(exports).flatMap((target) => {
    const file =
      typeof target === 'object' && target !== null ? Object.values(target).at(-1) : target;
    return typeof file === 'string' && file.endsWith('.js') ? [sourceOf(file)] : [];
  });
}

/** The source that `./dist/x.js` was compiled from. */
function sourceOf(file: string): string {
  return file.replace(/^(?:\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts');
}

/** Every subpath and program of package.json has its source. */
export function checkEntries(sources: readonly SourceFile[], facts: PackageFacts): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  return [...libraryEntries(facts), ...Object.values(facts.bin).map(sourceOf)]
    .filter((entry) => !paths.has(entry))
    .map(
      (entry) => `package.json: ${entry} is missing: write it, or take its subpath out of exports`,
    );
}

/**
 * Parts that are built and tested before what stands on them. An entry whose files are all reached, or gone, has
 * to be removed: the rule says so.
 */
export const FOUNDATIONS: Readonly<Record<string, string>> = {
  'src/lab/check/':
    'oracles for logs and stores, and parallel external checkers, for the lab in test suites',
  'src/lab/litmus/': 'programs that tell crash models apart, for the tests of models and kernels',
  'src/lab/record/trace-builder.ts': 'hand-made traces for the tests of every part of the lab',
};

/** Every file of `src` can be reached from a subpath or a program of the package. */
export function checkDeadFiles(
  sources: readonly SourceFile[],
  facts: PackageFacts,
  foundations: Readonly<Record<string, string>>,
): string[] {
  const entries = [...libraryEntries(facts), ...Object.values(facts.bin).map(sourceOf)];
  const alive = reachable(sources, entries, ALL_EDGES);
  // A declaration file is for the compiler: no module imports it.
  const dead = inSource(sources).filter(({ path }) => !alive.has(path) && !path.endsWith('.d.ts'));
  const prefixes = Object.keys(foundations);
  return [
    ...dead
      .filter(({ path }) => !prefixes.some((prefix) => path.startsWith(prefix)))
      .map(({ path }) => `${path}: no entry of the package reaches it: use it, or remove it`),
    ...prefixes
      .filter((prefix) => !dead.some(({ path }) => path.startsWith(prefix)))
      .map((prefix) => `FOUNDATIONS of structure-rules.ts: ${prefix} is in use: remove its line`),
  ];
}

/** What is published imports Node, itself and its dependencies only. */
export function checkPackages(sources: readonly SourceFile[], facts: PackageFacts): string[] {
  return inSource(sources).flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier, target }) => target === undefined && !specifier.startsWith('node:'))
      .filter(({ specifier }) => {
        const parts = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
        return !facts.dependencies.includes(parts.join('/'));
      })
      .map(
        ({ line, specifier }) =>
          `${path}:${line}: ${specifier} is no run-time dependency (a Node module is written ` +
          `node:${specifier})`,
      ),
  );
}

/** No top-level await in anything that a subpath loads: CommonJS could not `require` it. */
export function checkTopLevelAwait(sources: readonly SourceFile[], facts: PackageFacts): string[] {
  const loaded = reachable(sources, libraryEntries(facts), ['static']);
  return sources
    .filter(({ path }) => loaded.has(path))
    .flatMap(({ path, code }) =>
      topLevelLines(code)
        .filter(({ text }) => /(?<![.\w$])await\b/.test(text) && !/=>|\basync\b/.test(text))
        .map(
          ({ line }) =>
            `${path}:${line}: await at the top level: CommonJS could not require this entry; ` +
            `do it in a function`,
        ),
    );
}

/** The lines of masked code that begin outside every brace. */
function topLevelLines(code: string): { line: number; text: string }[] {
  let depth = 0;
  return code.split('\n').flatMap((text, index) => {
    const outside = depth === 0;
    depth += (text.match(/\{/g)?.length ?? 0) - (text.match(/\}/g)?.length ?? 0);
    return outside ? [{ line: index + 1, text }] : [];
  });
}

function inSource(sources: readonly SourceFile[]): SourceFile[] {
  return sources.filter(({ path }) => path.startsWith('src/'));
}
