import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CONTENT_BYTES_MAX, GrowingContent } from '../../../../src/lab/replay/growing-content.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function shown(content: GrowingContent): string {
  return new TextDecoder().decode(content.snapshot());
}

test('what was cut off does not come back when the file grows again', () => {
  const content = new GrowingContent(new Uint8Array(0));
  content.write(bytes('abcdef'), 0);
  content.resize(2);
  content.write(bytes('X'), 4);
  assert.equal(shown(content), 'ab\0\0X');
  content.resize(1);
  content.resize(3);
  assert.equal(shown(content), 'a\0\0');
});

test('snapshots never change, whatever is done afterwards', () => {
  const initial = bytes('initial');
  const content = new GrowingContent(initial);
  const taken: [Uint8Array, string][] = [];
  const take = (): void => {
    const snapshot = content.snapshot();
    taken.push([snapshot, new TextDecoder().decode(snapshot)]);
  };
  take();
  content.write(bytes('!'), 7);
  take();
  content.write(bytes('I'), 0);
  take();
  content.resize(3);
  take();
  content.write(bytes('xyz'), 3);
  take();
  content.write(bytes('more'), 6);
  content.resize(8);
  content.write(bytes('tail'), 8);
  take();
  for (const [snapshot, was] of taken) assert.equal(new TextDecoder().decode(snapshot), was);
  assert.equal(new TextDecoder().decode(initial), 'initial');
  assert.equal(content.snapshot(), content.snapshot());
});

test('an empty write changes nothing, and a file that cannot be held is refused', () => {
  const content = new GrowingContent(bytes('x'));
  content.write(new Uint8Array(0), 100);
  assert.equal(content.length, 1);
  assert.throws(() => content.write(bytes('x'), CONTENT_BYTES_MAX), { code: 'HOLDFAST_BAD_TRACE' });
  assert.throws(() => content.resize(2 ** 40), { code: 'HOLDFAST_BAD_TRACE' });
  assert.equal(shown(content), 'x');
});
