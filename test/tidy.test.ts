/**
 * The habits of the project as tests. Each rule runs twice: on the project, where it must find nothing, and on a
 * bad sample, where it must find something and say how to mend it.
 */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  checkErrorCodes,
  checkFoldersNamed,
  checkLinks,
  checkPagesNamed,
  checkSubpathsNamed,
} from './support/tidy/document-rules.ts';
import { readProject, scanSources, type ProjectFile } from './support/tidy/project-file.ts';
import { maskText } from './support/tidy/source-text.ts';
import * as structure from './support/tidy/structure-rules.ts';
import * as text from './support/tidy/text-rules.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const files = readProject(top);
const sources = scanSources(files);
const facts = structure.packageFacts(file('package.json').text);

/** The file of the project at `path`; an empty one where there is none, so that rules can say what is missing. */
function file(path: string): ProjectFile {
  return files.find((one) => one.path === path) ?? { path, text: '' };
}

/** A small project made of paths and texts. */
function sample(texts: Readonly<Record<string, string>>): ReturnType<typeof scanSources> {
  return scanSources(Object.entries(texts).map(([path, body]) => ({ path, text: body })));
}

const sampleFacts = structure.packageFacts(
  JSON.stringify({
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    bin: { holdfast: 'dist/cli/main.js' },
  }),
);

/** What a rule found in the project, one finding a line; without a stack, which would say nothing. */
class RuleBroken extends Error {
  constructor(found: readonly string[]) {
    super(`\n${found.join('\n')}`);
    this.stack = this.message;
  }
}

interface Rule {
  readonly name: string;
  readonly project: () => string[];
  readonly sample: () => string[];
  /** What the message on the bad sample must say. */
  readonly says: RegExp;
}

const structureRules: readonly Rule[] = [
  {
    name: 'folders import only what their arrow allows',
    project: () => structure.checkArrows(sources),
    sample: () => structure.checkArrows(sample({ 'src/vfs/a.ts': `import '../durable/b.ts';` })),
    says: /^src\/vfs\/a\.ts:1: vfs must not import durable .*pass the thing in/,
  },
  {
    name: 'nothing imports the lab or the command line',
    project: () => [],
    sample: () =>
      structure.checkArrows(sample({ 'src/wal/a.ts': `const b = await import('../lab/b.ts');` })),
    says: /wal must not import lab/,
  },
  {
    name: 'a new folder gets a line in the table of arrows',
    project: () => [],
    sample: () => structure.checkArrows(sample({ 'src/extra/a.ts': '' })),
    says: /src\/extra has no line in ARROWS/,
  },
  {
    name: 'no module imports an index',
    project: () => structure.checkIndexImports(sources),
    sample: () =>
      structure.checkIndexImports(
        sample({ 'src/cli/a.ts': `import { x } from '../vfs/index.ts';` }),
      ),
    says: /import the file itself instead of \.\.\/vfs\/index\.ts/,
  },
  {
    name: 'no files import each other in a circle',
    project: () => structure.checkCycles(sources),
    sample: () =>
      structure.checkCycles(
        sample({
          'src/base/a.ts': `import type { B } from './b.ts';`,
          'src/base/b.ts': `export { c } from './c.ts';`,
          'src/base/c.ts': `import {\n  a,\n} from './a.ts';`,
        }),
      ),
    says: /a\.ts -> b\.ts -> c\.ts -> a\.ts: move what both need to a third file/,
  },
  {
    name: 'base names are unique',
    project: () => structure.checkUniqueNames(sources),
    sample: () => structure.checkUniqueNames(sample({ 'src/a/x.ts': '', 'src/b/x.ts': '' })),
    says: /^src\/b\/x\.ts: src\/a\/x\.ts has the same name: put the folder in front/,
  },
  {
    name: 'imports lead somewhere',
    project: () => structure.checkTargets(sources, files),
    sample: () => structure.checkTargets(sample({ 'src/a.ts': `export * from './b.ts';` }), []),
    says: /\.\/b\.ts is no file/,
  },
  {
    name: 'every subpath and program of the package has a source',
    project: () => structure.checkEntries(sources, facts),
    sample: () => structure.checkEntries(sample({ 'src/index.ts': '' }), sampleFacts),
    says: /src\/cli\/main\.ts is missing/,
  },
  {
    name: 'no file is dead',
    project: () => structure.checkDeadFiles(sources, facts, structure.FOUNDATIONS),
    sample: () =>
      structure.checkDeadFiles(
        sample({
          'src/index.ts': `import './a.ts'; new Worker(new URL('./b.js', import.meta.url));`,
          'src/a.ts': '',
          'src/b.ts': '',
          'src/c.ts': `import './a.ts'; // only a test uses this`,
          'src/later/d.ts': '',
        }),
        sampleFacts,
        { 'src/later/': 'awaited' },
      ),
    says: /^src\/c\.ts: no entry of the package reaches it/,
  },
  {
    name: 'a foundation that is in use is no exception any more',
    project: () => [],
    sample: () =>
      structure.checkDeadFiles(sample({ 'src/index.ts': '' }), sampleFacts, { 'src/a/': 'why' }),
    says: /src\/a\/ is in use: remove its line/,
  },
  {
    name: 'only run-time dependencies are imported',
    project: () => structure.checkPackages(sources, facts),
    sample: () =>
      structure.checkPackages(sample({ 'src/a.ts': `import fs from 'fs';` }), sampleFacts),
    says: /fs is no run-time dependency \(a Node module is written node:fs\)/,
  },
  {
    name: 'library entries have no top-level await',
    project: () => structure.checkTopLevelAwait(sources, facts),
    sample: () =>
      structure.checkTopLevelAwait(
        sample({
          'src/index.ts': `import './a.ts';`,
          'src/a.ts': 'async function f() {\n  await g();\n}\nawait f();',
        }),
        sampleFacts,
      ),
    says: /^src\/a\.ts:4: await at the top level/,
  },
];

/** A rule on words: one bad text, and where it stands. */
function ban(name: string, path: string, bad: string, says: RegExp): Rule {
  const scanned = sample({ [path]: bad });
  return {
    name,
    project: () => [],
    sample: () => [...text.checkBans(scanned, scanned), ...text.checkModules(scanned)],
    says,
  };
}

const long = (lines: number): string => '  x();\n'.repeat(lines);

const textRules: readonly Rule[] = [
  {
    name: 'files have at most 500 lines',
    project: () => text.checkFileSizes(sources),
    sample: () => text.checkFileSizes(sample({ 'src/a.ts': 'x();\n'.repeat(501) })),
    says: /501 lines, at most 500: one concept a file/,
  },
  {
    name: 'functions have at most 70 lines',
    project: () => text.checkFunctionSizes(sources),
    sample: () => text.checkFunctionSizes(sample({ 'src/a.ts': `function f() {\n${long(69)}}` })),
    says: /^src\/a\.ts:1: a function of 71 lines, at most 70: give a part of it a name/,
  },
  {
    name: 'no banned call or word',
    project: () => [...text.checkBans(wordRuleFiles(), sources), ...text.checkModules(sources)],
    sample: () => text.checkBans([], sample({ 'src/wal/a.ts': 'const t = Date.now();' })),
    says: /^src\/wal\/a\.ts:1: Date\.now\(: take a Clock/,
  },
  ban('the lab does not roll dice', 'src/lab/a.ts', 'Math.random()', /take a Prng/),
  ban('no syncs but the dispatch', 'src/durable/a.ts', 'await this.#file.sync()', /SyncDispatch/),
  ban('no timers', 'src/durable/a.ts', 'setTimeout(() => {}, 1)', /timers of a Clock/),
  ban('only the command line prints', 'src/lab/a.ts', 'console.error(1)', /only src\/cli prints/),
  ban('only the command line exits', 'src/lab/a.ts', 'process.exit(1)', /throw an error/),
  ban('no any', 'test/a.ts', 'const a = (b as any[])', /unknown, and look at what it is/),
  ban('no enums', 'src/base/a.ts', 'enum A { b }', /`as const` object/),
  ban(
    'no empty catch',
    'src/base/a.ts',
    'try { a(); } catch (e) {\n}',
    /say in a comment inside why/,
  ),
  ban('no ignored types', 'src/base/a.ts', '// @ts-ignore', /mend the type/),
  ban('no notes to oneself', 'src/base/a.ts', '// TODO: more', /do it now, or open an issue/),
  ban('node:fs', 'src/durable/a.ts', `import { open } from 'node:fs/promises';`, /take a Vfs/),
  ban('programs', 'src/vfs/a.ts', `import 'node:child_process';`, /started by lab\/record/),
  {
    name: 'the lock file names no download host',
    project: () => text.checkLockFile(file('package-lock.json')),
    sample: () =>
      text.checkLockFile({ path: 'package-lock.json', text: '\n  "resolved": "http://a/b.tgz"' }),
    says: /^package-lock\.json:2: names where a package comes from/,
  },
  {
    name: 'the lock file is complete',
    project: () => text.checkLockComplete(file('package-lock.json')),
    sample: () =>
      text.checkLockComplete({
        path: 'package-lock.json',
        text: JSON.stringify({
          packages: {
            '': { dependencies: { a: '1' } },
            'node_modules/a': {
              dependencies: { b: '1', a: '1' },
              optionalDependencies: { c: '1' },
            },
            'node_modules/a/node_modules/b': { dependencies: { a: '1' } },
          },
        }),
      }),
    says: /node_modules\/a asks for c, which has no entry: npm ci would refuse/,
  },
  {
    name: 'no path of a machine is committed',
    project: () => text.checkMachineTraces(wordRuleFiles()),
    sample: () => text.checkMachineTraces([{ path: 'a.md', text: 'see /root/out.txt' }]),
    says: /^a\.md:1: \/root\/out\.txt: a path of one machine: use a relative path/,
  },
  {
    name: 'no registry host is committed',
    project: () => [],
    sample: () =>
      text.checkMachineTraces([{ path: '.npmrc', text: 'https://npm-mirror.example/' }]),
    says: /the host of a registry: leave the choice to npm/,
  },
  {
    name: 'no binary outside test/golden',
    project: () => text.checkBinaries(files),
    sample: () => text.checkBinaries([{ path: 'a.bin', text: '\0' }]),
    says: /a binary file: make it in the test/,
  },
];

/** The files whose words are law: this file and the rules have to name what they forbid. */
function wordRuleFiles(): ProjectFile[] {
  return files.filter(
    ({ path }) => !path.startsWith('test/support/tidy/') && path !== 'test/tidy.test.ts',
  );
}

const documentRules: readonly Rule[] = [
  {
    name: 'the README names every subpath',
    project: () => checkSubpathsNamed(file('README.md'), facts),
    sample: () =>
      checkSubpathsNamed(
        { path: 'README.md', text: '' },
        structure.packageFacts(JSON.stringify({ exports: { './vfs': './dist/vfs/index.js' } })),
      ),
    says: /does not mention holdfast\/vfs/,
  },
  {
    name: 'every error code has its heading in docs/errors.md',
    project: () => checkErrorCodes(file('src/base/errors.ts'), file('docs/errors.md')),
    sample: () =>
      checkErrorCodes(
        { path: 'errors.ts', text: `  | 'HOLDFAST_A'` },
        { path: 'errors.md', text: '## Others' },
      ),
    says: /no heading for HOLDFAST_A/,
  },
  {
    name: 'every folder of the sources is in ARCHITECTURE.md, every folder of tests in docs/testing.md',
    project: () => [
      ...checkFoldersNamed(file('ARCHITECTURE.md'), files, /^(src\/(?:lab\/)?[\w-]+)\//),
      ...checkFoldersNamed(file('docs/testing.md'), files, /^(test\/[\w-]+)\//),
    ],
    sample: () =>
      checkFoldersNamed(
        { path: 'A.md', text: 'only `src/a`' },
        [
          { path: 'src/a/x.ts', text: '' },
          { path: 'src/b/x.ts', text: '' },
        ],
        /^(src\/\w+)\//,
      ),
    says: /^A\.md: does not say what `src\/b` is/,
  },
  {
    name: 'pages that are named are there',
    project: () => checkPagesNamed(wordRuleFiles()),
    sample: () => checkPagesNamed([{ path: 'src/a.ts', text: '/** See `docs/missing/b.md`. */' }]),
    says: /^src\/a\.ts: names docs\/missing\/b\.md, which is not there/,
  },
  {
    name: 'links in documents lead somewhere',
    project: () => checkLinks(files),
    sample: () => checkLinks([{ path: 'docs/a.md', text: '[b](../b.md#c)' }]),
    says: /^docs\/a\.md: the link to \.\.\/b\.md leads nowhere/,
  },
];

for (const [name, rules] of [
  ['structure', structureRules],
  ['text', textRules],
  ['documents', documentRules],
] as const) {
  suite(name, () => {
    for (const rule of rules) {
      test(rule.name, () => {
        const found = rule.sample();
        assert.equal(found.length, 1, `on the bad sample: ${found.join('\n')}`);
        assert.match(found[0] ?? '', rule.says);
        const inProject = rule.project();
        if (inProject.length > 0) throw new RuleBroken(inProject);
      });
    }
  });
}

suite('what the rules let pass', () => {
  test('words in comments, strings, templates and regular expressions are no calls', () => {
    const scanned = sample({
      'src/wal/a.ts': [
        `// Date.now() and Math.random() are not for us`,
        `const a = 'Date.now()', b = \`Math.random() \${c('}')} setTimeout(\`;`,
        `const d = /[/"'] Date.now()/.test(a);`,
        `const many = company.any([1]) / 2; /* any */`,
        `const any = (a: number): number => any.length + many(any);`,
      ].join('\n'),
    });
    assert.deepEqual(text.checkBans(scanned, scanned), []);
  });

  test('code inside a template is code', () => {
    const scanned = sample({ 'src/wal/a.ts': 'const a = `x ${ `${Date.now()}` } y`;' });
    assert.equal(text.checkBans([], scanned).length, 1);
  });

  test('a catch that says why it is empty', () => {
    const scanned = sample({
      'src/a.ts': 'try {\n} catch {\n  // The file may be gone: good.\n}',
      'src/b.ts': 'const program = `try {} catch {}`;',
    });
    assert.deepEqual(text.checkBans(scanned, scanned), []);
  });

  test('functions of 70 lines, in each of their forms', () => {
    const body = long(68);
    for (const head of [
      'export async function f(a: string): Promise<void> {',
      'export const f = (a: string): void => {',
    ]) {
      assert.deepEqual(text.checkFunctionSizes(sample({ 'src/a.ts': `${head}\n${body}}` })), []);
      const tooLong = sample({ 'src/a.ts': `${head}\n  x();\n${body}}` });
      assert.equal(text.checkFunctionSizes(tooLong).length, 1, head);
    }
  });

  test('a method, a getter and a function whose head takes several lines are measured too', () => {
    for (const head of [
      '  async *#walk(a: string): AsyncGenerator<string> {',
      '  get size(): number {',
      '  constructor(\n    a: string,\n    b: string,\n  ) {',
      '  static open(a: string): { b: string } {',
    ]) {
      const method = `class A {\n${head}\n${long(75).replaceAll('  x', '    x')}  }\n}`;
      assert.equal(text.checkFunctionSizes(sample({ 'src/a.ts': method })).length, 1, head);
    }
  });

  test('a long object, interface or call is no function', () => {
    for (const head of ['const a = {', 'interface A {', 'export const a: B = [']) {
      const end = head.endsWith('[') ? '];' : '};';
      const literal = sample({ 'src/a.ts': `${head}\n${'  b: 1,\n'.repeat(99)}${end}` });
      assert.deepEqual(text.checkFunctionSizes(literal), [], head);
    }
  });

  test('masking keeps every line and column where it was', () => {
    for (const { path, text: body } of sources) {
      const { code, uncommented } = maskText(body);
      assert.equal(code.length, body.length, path);
      assert.equal(uncommented.split('\n').length, body.split('\n').length, path);
    }
  });

  test('files over 400 lines are worth a look', (context) => {
    for (const line of text.softFileSizes(sources)) context.diagnostic(line);
    assert.ok(text.softFileSizes(sample({ 'src/a.ts': 'x\n'.repeat(401) })).length === 1);
  });
});
