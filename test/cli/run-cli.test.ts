import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileChangeError, TraceError, UsageError } from '../../src/base/errors.ts';
import type { CommandArguments } from '../../src/cli/arguments.ts';
import type { Command, CommandTable } from '../../src/cli/command.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { systemError } from '../../src/vfs/errno.ts';
import { testContext } from '../support/test-context.ts';

/** A command that hands its arguments to `seen` and does what the test asks for. */
function sample(run: Command['run']): CommandTable {
  return {
    sample: () =>
      Promise.resolve({
        name: 'sample',
        summary: 'a sample of a command',
        usage: '[DIR] [--root DIR] -- PROGRAM…',
        description: 'More about it.',
        options: {
          root: { type: 'string', short: 'r', value: 'DIR', help: 'the directory' },
          model: { type: 'string', multiple: true, help: 'names of models' },
          budget: { type: 'string', value: 'N', help: 'at most so many' },
          json: { type: 'boolean', help: 'JSON' },
        },
        positionals: { min: 0, max: 1 },
        program: 'optional',
        run,
      }),
  };
}

async function call(
  words: readonly string[],
  run: Command['run'] = () => Promise.resolve(0),
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const context = testContext({ env });
  const code = await runCli(words, context, sample(run), '1.2.3');
  return { code, out: context.out, err: context.err };
}

async function parse(...words: string[]): Promise<CommandArguments> {
  let seen: CommandArguments | undefined;
  const { err } = await call(['sample', ...words], (_, args) => {
    seen = args;
    return Promise.resolve(0);
  });
  assert.ok(seen !== undefined, err);
  return seen;
}

test('--version prints the version alone', async () => {
  assert.deepEqual(await call(['--version']), { code: 0, out: '1.2.3\n', err: '' });
});

test('--help lists each command with its summary', async () => {
  const { code, out } = await call(['--help']);
  assert.equal(code, 0);
  assert.match(out, /^ {2}sample {2}a sample of a command$/m);
});

test('no word at all prints the help to standard error and is wrong use', async () => {
  const { code, out, err } = await call([]);
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(err, /Usage: holdfast COMMAND/);
});

for (const words of [
  ['sample', '--help'],
  ['sample', '-h'],
  ['help', 'sample'],
]) {
  test(`${words.join(' ')} explains the command and each option`, async () => {
    const { code, out } = await call(words);
    assert.equal(code, 0);
    assert.match(out, /^Usage: holdfast sample \[DIR\]/);
    assert.match(out, /More about it\./);
    assert.match(out, /^ {2}-r, --root DIR {2,}the directory$/m);
  });
}

test('--help after -- belongs to the program', async () => {
  const args = await parse('--', 'ls', '--help');
  assert.deepEqual(args.program, ['ls', '--help']);
});

for (const name of ['nonsense', 'toString', '__proto__']) {
  test(`the unknown command ${name} is one line and exit code 2`, async () => {
    const { code, err } = await call([name]);
    assert.equal(code, 2);
    assert.equal(err, `holdfast: unknown command '${name}' (holdfast --help lists them)\n`);
  });
}

test('an unknown option is one line that names it', async () => {
  const { code, out, err } = await call(['sample', '--nonsense']);
  assert.deepEqual({ code, out }, { code: 2, out: '' });
  assert.equal(err, "holdfast sample: unknown option '--nonsense'\n");
});

test('an option without its value is one line that names it', async () => {
  const { code, err } = await call(['sample', '--root']);
  assert.equal(code, 2);
  assert.match(err, /^holdfast sample: option '-r, --root <value>' argument missing\n$/);
});

test('one argument too many is named', async () => {
  const { code, err } = await call(['sample', 'a', 'b']);
  assert.equal(code, 2);
  assert.match(
    err,
    /^holdfast sample: unexpected argument 'b' \(a program to run comes after --\)\n$/,
  );
});

test('-- without a program is wrong use', async () => {
  const { code, err } = await call(['sample', '--']);
  assert.equal(code, 2);
  assert.equal(err, 'holdfast sample: there is no program after --\n');
});

test('everything after the first -- is the program, options and all', async () => {
  const args = await parse('dir', '--json', '--', 'node', '--', '-r', 'x');
  assert.deepEqual(args.positionals, ['dir']);
  assert.equal(args.flag('json'), true);
  assert.equal(args.text('root'), undefined);
  assert.deepEqual(args.program, ['node', '--', '-r', 'x']);
});

test('a list takes commas and repetition alike', async () => {
  const args = await parse('--model', 'ext4, xfs', '--model=posix');
  assert.deepEqual(args.list('model'), ['ext4', 'xfs', 'posix']);
  assert.deepEqual(args.texts('model'), ['ext4, xfs', 'posix']);
});

for (const bad of ['', '1.5', 'x', '-1', '0', '1e3', '9007199254740993']) {
  test(`'${bad}' is no count`, async () => {
    const args = await parse(`--budget=${bad}`);
    assert.throws(() => args.integer('budget', 1), {
      code: 'HOLDFAST_USAGE',
      message: `--budget takes a whole number of at least 1, not '${bad}'`,
    });
  });
}

test('a count within its limits is a number', async () => {
  const args = await parse('--budget', '12');
  assert.equal(args.integer('budget', 1, 12), 12);
  assert.throws(() => args.integer('budget', 1, 11), /from 1 to 11/);
});

test('the exit code is what the command returns', async () => {
  assert.equal((await call(['sample'], () => Promise.resolve(3))).code, 3);
});

for (const error of [new UsageError('no model foo'), new TraceError('no model foo')]) {
  test(`a ${error.name} is one line without a stack`, async () => {
    const { code, err } = await call(['sample'], () => Promise.reject(error));
    assert.equal(code, 2);
    const suffix = error instanceof UsageError ? '' : ` (${error.code})`;
    assert.equal(err, `holdfast sample: no model foo${suffix}\n`);
  });
}

test("the operating system's refusals end with their code, too", async () => {
  const read = systemError('ELOOP', 'scandir', '/loop');
  const change = new FileChangeError('making directory', '/db', 'old', {
    ...systemError('EROFS', 'mkdir', '/db'),
    name: 'Error',
    message: 'EROFS: read-only file system',
  });
  assert.equal(
    (await call(['sample'], () => Promise.reject(read))).err,
    "holdfast sample: too many symbolic links encountered, scandir '/loop' (ELOOP)\n",
  );
  assert.match(
    (await call(['sample'], () => Promise.reject(change))).err,
    /^holdfast sample: making directory '\/db' failed, outcome old: [^\n]* \(EROFS\)\n$/,
  );
});

test('a missing required option is named', async () => {
  const { code, err } = await call(['sample'], (_, args) => {
    args.requiredText('root');
    return Promise.resolve(0);
  });
  assert.equal(code, 2);
  assert.equal(err, 'holdfast sample: --root is missing\n');
});

test('an error nobody meant to throw says that it is internal', async () => {
  const { code, err } = await call(['sample'], () => Promise.reject(new TypeError('x\n  y')));
  assert.equal(code, 2);
  assert.equal(err, 'holdfast sample: internal error: x; y\n');
});

test('a name in a message cannot steer the terminal', async () => {
  const { err } = await call(['sample'], () => Promise.reject(new UsageError('\u001b[2Jgone')));
  assert.equal(err, 'holdfast sample: \\x1b[2Jgone\n');
});

test('HOLDFAST_DEBUG shows the stack and the cause', async () => {
  const error = new UsageError('outer', { cause: new Error('inner') });
  const { err } = await call(['sample'], () => Promise.reject(error), { HOLDFAST_DEBUG: '1' });
  assert.match(
    err,
    /^holdfast sample: outer\nUsageError: outer\n +at [^]*caused by Error: inner\n +at /,
  );
});
