import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import {
  decodeReplayToken,
  encodeReplayToken,
  requireTrace,
} from '../../../../src/lab/replay/replay-token.ts';
import { traceDigest } from '../../../../src/lab/replay/trace-digest.ts';

function trace(content = 'x'): ReturnType<TraceBuilder['build']> {
  return new TraceBuilder({ files: { b: '2', a: '1' } }).writeFile('a', content).exit().build();
}

const digest = traceDigest(trace());
const parts = {
  model: 'ext4+nobarrier',
  state: '12;3,4;5.0.00ff00ff00ff00ff;',
  traceDigest: digest,
};
const token = encodeReplayToken(parts);

test('a token gives back what it was made of, and is one plain word', () => {
  assert.deepEqual(decodeReplayToken(` ${token}\n`), {
    ...parts,
    traceDigest: digest.slice(0, 32),
  });
  assert.match(token, /^[A-Za-z0-9._+-]+$/);
  for (const state of ['', 'é \n"$(rm)', ';'.repeat(5000)]) {
    assert.equal(decodeReplayToken(encodeReplayToken({ ...parts, state })).state, state);
  }
  requireTrace(decodeReplayToken(token), digest);
});

test('the form of version 1 does not change', () => {
  const fixed = { model: 'posix', state: '7;1;;', traceDigest: '0123456789abcdef'.repeat(4) };
  assert.equal(
    encodeReplayToken(fixed),
    'hf1.posix.NzsxOzs.0123456789abcdef0123456789abcdef.65562de9',
  );
});

test('a token with any character lost or changed is refused', () => {
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'a' ? 'b' : 'a';
    for (const damaged of [
      token.slice(0, at),
      token.slice(0, at) + token.slice(at + 1),
      token.slice(0, at) + other + token.slice(at + 1),
    ]) {
      assert.throws(() => decodeReplayToken(damaged), { code: 'HOLDFAST_USAGE' }, damaged);
    }
  }
});

test('what is no token, too long, or of another version is refused by name', () => {
  const cases: [string, RegExp][] = [
    ['', /"" is not a replay token/],
    ['rm -rf /', /"rm -rf \/" is not a replay token/],
    ['x'.repeat(5000), /^"x{39}…" is not/],
    [`hf1.${'x'.repeat(2_000_000)}`, /too long/],
    [token.replace('hf1', 'hf2'), /version 2, this program reads version 1/],
    [`${token}.x`, /cut or mistyped/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => decodeReplayToken(text), { code: 'HOLDFAST_USAGE', message });
  }
});

test('a token of another trace is refused', () => {
  assert.throws(() => requireTrace(decodeReplayToken(token), traceDigest(trace('y'))), {
    code: 'HOLDFAST_USAGE',
    message: /another trace/,
  });
});

test('only sound parts make a token', () => {
  assert.throws(() => encodeReplayToken({ ...parts, model: 'a.b' }), TypeError);
  assert.throws(() => encodeReplayToken({ ...parts, traceDigest: 'short' }), TypeError);
});

test('the digest of a trace is that of its meaning', () => {
  const one = trace();
  const reversed = one.operations.map(
    (operation) => Object.fromEntries(Object.entries(operation).toReversed()) as typeof operation,
  );
  const elsewhere = {
    ...one,
    root: '/other',
    command: ['other'],
    stacks: [],
    initial: one.initial.toReversed(),
    operations: reversed.map((operation) => ({ ...operation, stack: -1, path: 'elsewhere' })),
  };
  assert.equal(traceDigest(elsewhere), digest);
  const others = [
    trace('y'),
    { ...one, operations: one.operations.slice(1) },
    { ...one, initial: one.initial.slice(1) },
    { ...one, operations: one.operations.map((it) => ({ ...it, start: it.start + 100 })) },
  ];
  for (const other of others) assert.notEqual(traceDigest(other), digest);
});
