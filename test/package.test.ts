/**
 * The package as a user gets it: packed, looked at by two independent checkers, installed from the tarball into an
 * empty project, and every subpath imported in each way that Node and TypeScript know.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PACKED_BYTES_MAX = 1.25 * 1024 * 1024;
const UNPACKED_BYTES_MAX = 4 * 1024 * 1024;

const top = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
  bin: Record<string, string>;
};
/** `holdfast`, `holdfast/vfs`, … */
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => !subpath.endsWith('.json'))
  .map((subpath) => `holdfast${subpath.slice(1)}`);
/** A preload: it records the program that loads it, so it is loaded before one. */
const PRELOAD = 'holdfast/lab/register';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let scratch = '';
let project = '';
let tarball = '';
let packed: Packed;

/** Runs a program and returns its standard output; a failure shows what it printed. */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  return await runIn(cwd, {}, program, ...args);
}

async function runIn(
  cwd: string,
  variables: Readonly<Record<string, string>>,
  program: string,
  ...args: string[]
): Promise<string> {
  try {
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...variables };
    const options = { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    // What the program said is all that helps to find the reason.
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Runs a program of a development dependency of this project. */
async function tool(cwd: string, script: string, ...args: string[]): Promise<string> {
  return await run(cwd, process.execPath, join(top, 'node_modules', script), ...args);
}

/** Where the links of a Markdown text lead that are no addresses, without the headings in the files. */
function relativeLinks(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^(?:[a-z]+:|#)/.test(link))
    .map((link) => link.replace(/#.*/, ''));
}

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'holdfast-package-'));
  // Without scripts: `prepack` would build, and other tests use `dist` meanwhile.
  const output = await run(
    top,
    'npm',
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    scratch,
  );
  const parsed = JSON.parse(output) as Packed[] | Record<string, Packed>;
  const first = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
  assert.ok(first !== undefined, output);
  packed = first;
  tarball = join(scratch, packed.filename);
  project = join(scratch, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "user", "private": true }\n');
  await run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', tarball);
  // What a TypeScript user of Node has beside it.
  await symlink(join(top, 'node_modules/@types'), join(project, 'node_modules/@types'));
});

after(async () => {
  await rm(scratch, { recursive: true, force: true });
});

suite('the tarball', () => {
  test('holds the compiled library, its types and the documents for users, and nothing else', () => {
    const code = /^dist\/.+\.(?:js|d\.ts)$/;
    // Messages and pages point at these; the decisions are for those who work on the sources.
    const documents =
      /^(?:docs\/(?!(?:decisions|found)\/)[\w./-]+\.(?:md|json)|README\.md|LICENSE|CHANGELOG\.md)$/;
    const paths = packed.files.map(({ path }) => path);
    // A recipe that docs/ci.md tells to copy.
    const recipe = /^examples\/ci\//;
    const known = [code, documents, recipe];
    assert.deepEqual(
      paths.filter((path) => !known.some((kind) => kind.test(path))),
      ['package.json'],
    );
    for (const path of [
      'docs/guarantees.md',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'package.json',
      'dist/index.js',
    ]) {
      assert.ok(paths.includes(path), `${path} is missing`);
    }
    const scripts = paths.filter((path) => path.endsWith('.js'));
    for (const path of scripts) {
      assert.ok(paths.includes(path.replace(/\.js$/, '.d.ts')), `${path} has no types`);
    }
  });

  test('has no document with a link to what is not in it', () => {
    const paths = new Set(packed.files.map(({ path }) => path));
    const broken = [...paths]
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        relativeLinks(readFileSync(join(top, path), 'utf8'))
          .filter((link) => !paths.has(posix.join(posix.dirname(path), link)))
          .map((link) => `${path}: ${link}`),
      );
    assert.deepEqual(broken, []);
    // The test sees links at all.
    assert.ok(relativeLinks(readFileSync(join(top, 'README.md'), 'utf8')).length > 5);
  });

  test('is small', async () => {
    assert.ok(packed.size <= PACKED_BYTES_MAX, `${packed.size} bytes packed`);
    assert.ok(packed.unpackedSize <= UNPACKED_BYTES_MAX, `${packed.unpackedSize} bytes unpacked`);
    assert.equal((await stat(tarball)).size, packed.size);
  });

  test('is without a finding of publint', async () => {
    const output = await tool(top, 'publint/src/cli.js', 'run', tarball, '--strict');
    assert.match(output, /All good/);
  });

  test('is without a finding of arethetypeswrong, as an ESM-only package', async () => {
    const args = [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'];
    const output = await tool(top, '@arethetypeswrong/cli/dist/index.js', ...args);
    // A package for ES modules only: what other resolutions make of it is shown, and does not count.
    const verdicts = [...output.matchAll(/^(?:node16 \(from ESM\)|bundler): (\w+)/gm)];
    assert.equal(verdicts.length, 2 * Object.keys(manifest.exports).length, output);
    for (const [line, verdict] of verdicts) assert.equal(verdict, 'OK', line);
  });
});

suite('installed from the tarball', () => {
  for (const [option, extension] of [
    ['--import', 'mjs'],
    ['--require', 'cjs'],
  ] as const) {
    test(`${PRELOAD} with ${option} records a program`, async () => {
      const folder = join(project, extension);
      await mkdir(folder);
      const program = join(project, `program.${extension}`);
      const text = `process.getBuiltinModule('node:fs').writeFileSync('${extension}/file', 'x');`;
      await writeFile(program, text);
      const trace = join(project, `${extension}.trace`);
      const env = { HOLDFAST_ROOT: folder, HOLDFAST_TRACE: trace };
      await runIn(project, env, process.execPath, option, PRELOAD, program);
      assert.match(await readFile(trace, 'utf8'), /"file"/);
    });
  }

  for (const subpath of subpaths.filter((one) => one !== PRELOAD)) {
    test(`import '${subpath}' in an ES module`, async () => {
      const script = `const all = await import('${subpath}'); console.log(typeof all);`;
      assert.equal(
        await run(project, process.execPath, '--input-type=module', '-e', script),
        'object\n',
      );
    });

    test(`require('${subpath}') in a CommonJS module`, async () => {
      const script = `console.log(typeof require('${subpath}'));`;
      assert.equal(await run(project, process.execPath, '-e', script), 'object\n');
    });
  }

  for (const [module, moduleResolution] of [
    ['node20', 'node16'],
    ['esnext', 'bundler'],
  ] as const) {
    test(`TypeScript finds every subpath with ${module} and ${moduleResolution}`, async () => {
      const folder = join(project, `types-${moduleResolution}`);
      await mkdir(folder);
      const imports = subpaths.map((subpath, index) => `import * as m${index} from '${subpath}';`);
      const uses = subpaths.map((_, index) => `m${index}`).join(', ');
      await writeFile(
        join(folder, 'user.mts'),
        `${imports.join('\n')}\nimport { UsageError } from 'holdfast';\n` +
          `const error: Error = new UsageError('x');\nconsole.log(error, ${uses});\n` +
          // Options of one engine, and a lifetime in a chained batch.
          `import { HoldfastLevel } from 'holdfast';\n` +
          `const options = { pageBytes: 8192, checkpoint: { ms: 5 }, merge: false } as const;\n` +
          `const db = new HoldfastLevel('x', options);\n` +
          `void db.batch().put('a', '1', { ttl: 5 }).write({ sync: true });\n` +
          `void db.sublevel('s').put('a', '1');\n`,
      );
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2023',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      };
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['user.mts'] }),
      );
      await tool(folder, 'typescript/bin/tsc', '-p', '.');
    });
  }

  test('a CommonJS file in TypeScript imports it with node20, and with node16 by import() alone', async () => {
    const folder = join(project, 'types-commonjs');
    await mkdir(folder);
    const imports = subpaths.map((subpath, index) => `import * as m${index} from '${subpath}';`);
    const uses = subpaths.map((_, index) => `m${index}`).join(', ');
    await writeFile(join(folder, 'user.cts'), `${imports.join('\n')}\nconsole.log(${uses});\n`);
    const later = `void import('holdfast').then(({ HoldfastLevel }) => console.log(HoldfastLevel));\n`;
    await writeFile(join(folder, 'later.cts'), later);
    const check = async (module: string, file: string): Promise<string> => {
      const options = ['--target', 'es2023', '--strict', '--noEmit', '--types', 'node'];
      return await tool(folder, 'typescript/bin/tsc', '--module', module, ...options, file);
    };
    await check('node20', 'user.cts');
    await check('node16', 'later.cts');
    await assert.rejects(check('node16', 'user.cts'), /TS1479/);
  });

  test('the program runs', async () => {
    const program = join(project, 'node_modules/.bin/holdfast');
    const { version } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(await run(project, program, '--version'), `${version}\n`);
  });

  test('every program that package.json names is in the tarball and starts with an interpreter', async () => {
    for (const path of Object.values(manifest.bin)) {
      const text = await readFile(join(project, 'node_modules/holdfast', path), 'utf8');
      assert.match(text, /^#!\/usr\/bin\/env node\n/);
    }
  });
});
