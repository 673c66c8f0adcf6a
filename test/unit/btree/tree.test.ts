/** The tree of pages, compared with a map: order, fill, redo, older states. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { keyBytesMax } from '../../../src/btree/tree-writer.ts';
import { TreeRig } from '../../support/tree-rig.ts';

function randomBytes(prng: Prng, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = prng.below(256);
  return bytes;
}

/** Keys that share beginnings, some long; values that are short, and now and then very long. */
function randomEntry(prng: Prng, pageBytes: number): { key: Buffer; value: Buffer } {
  const long = prng.below(10) === 0;
  const key = Buffer.concat([
    Buffer.from(['', 'user:', 'user:name:'][prng.below(3)]!),
    long ? randomBytes(prng, prng.below(keyBytesMax(pageBytes) - 20)) : Buffer.alloc(0),
    randomBytes(prng, 1 + prng.below(2)),
  ]);
  const kind = prng.below(20);
  const length = kind === 0 ? prng.below(3 * pageBytes) : prng.below(kind < 5 ? 900 : 60);
  return { key, value: Buffer.alloc(length, prng.below(256)) };
}

suite('a tree of pages', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`gives what a map gives, stays sound, and redo repeats it (seed ${seed})`, () => {
      const prng = new Prng(seed);
      const rig = new TreeRig();
      const model = new Map<string, Buffer>();
      for (let step = 0; step < 3000; step++) {
        // It grows first, then shrinks.
        const deletes = prng.below(100) < (step < 1800 ? 25 : 75);
        const { key, value } = randomEntry(prng, 4096);
        const name = key.toString('latin1');
        if (deletes && model.size > 0) {
          const at = prng.below(model.size);
          const victim = [...model.keys()][at]!;
          rig.delete(Buffer.from(victim, 'latin1'));
          model.delete(victim);
          rig.delete(key.subarray(0, 1));
          model.delete(name.slice(0, 1));
        } else {
          rig.put(key, value);
          model.set(name, value);
        }
        if (step % 500 === 0) rig.assertSound();
      }
      rig.assertSound();
      rig.assertRedoGivesTheSame();
      assert.equal(rig.census().entries, model.size);
      for (const [name, value] of model) {
        const found = rig.get(Buffer.from(name, 'latin1'));
        assert.ok(found !== undefined && found.equals(value));
      }
      assert.equal(rig.get(Buffer.from('no such key')), undefined);
    });
  }

  test('stays sound with keys of all lengths up to the longest, which share nearly all of it', () => {
    const prng = new Prng(5);
    const rig = new TreeRig();
    const longest = keyBytesMax(4096);
    const keys: Buffer[] = [];
    for (let step = 0; step < 600; step++) {
      const shortest = prng.below(4) === 0 ? 4 : longest - 200;
      const key = Buffer.alloc(shortest + prng.below(longest - shortest + 1), 'x');
      randomBytes(prng, 4).copy(key, key.length - 4);
      if (step < 300 || prng.below(3) === 0) {
        rig.put(key, Buffer.alloc(prng.below(5)));
        keys.push(key);
      } else {
        const [victim] = keys.splice(prng.below(keys.length), 1);
        rig.delete(victim!);
      }
      if (step % 10 === 0) rig.assertSound();
    }
    rig.assertSound();
  });

  test('gives every page back when everything is deleted', () => {
    const rig = new TreeRig();
    const keys = Array.from({ length: 2000 }, (_, index) => Buffer.from(`key ${index * 7919}`));
    for (const key of keys) rig.put(key, Buffer.alloc(100));
    rig.put(Buffer.from('long'), Buffer.alloc(100_000));
    assert.ok(rig.census().height >= 1);
    for (const key of keys) rig.delete(key);
    rig.delete(Buffer.from('long'));
    rig.assertSound();
    const { entries, height, leaves, branches, overflows } = rig.census();
    assert.deepEqual(
      { entries, height, leaves, branches, overflows },
      {
        entries: 0,
        height: 0,
        leaves: 1,
        branches: 0,
        overflows: 0,
      },
    );
    rig.commit(() => rig.freeList.shrink());
    rig.assertSound();
  });

  test('fills pages when keys come in their order', () => {
    const rig = new TreeRig();
    for (let index = 0; index < 5000; index++) {
      rig.put(Buffer.from(String(index).padStart(8, '0')), Buffer.alloc(40));
    }
    rig.assertSound();
    const { leaves, leafBytes } = rig.census();
    assert.ok(leafBytes / (leaves * 4064) > 0.95, `${leafBytes} in ${leaves} leaves`);
  });

  test('shows a state that is held as it was', () => {
    const prng = new Prng(9);
    const rig = new TreeRig();
    const held: { sequence: number; model: Map<string, Buffer> }[] = [];
    const model = new Map<string, Buffer>();
    for (let step = 0; step < 1500; step++) {
      const { key, value } = randomEntry(prng, 4096);
      const name = key.toString('latin1');
      if (prng.below(2) === 0) {
        rig.put(key, value);
        model.set(name, value);
      } else {
        rig.delete(key);
        model.delete(name);
      }
      if (step % 200 === 100) {
        rig.versions.snapshots.add(rig.sequence);
        held.push({ sequence: rig.sequence, model: new Map(model) });
      }
      if (step % 400 === 399) rig.versions.release(held.shift()!.sequence);
    }
    assert.ok(held.length > 2);
    for (const { sequence, model: then } of held) {
      assert.equal(rig.census(sequence).entries, then.size);
      assert.deepEqual(rig.census(sequence).faults, []);
      for (const [name, value] of then) {
        assert.ok(rig.get(Buffer.from(name, 'latin1'), sequence)?.equals(value));
      }
      rig.versions.release(sequence);
    }
    assert.equal(rig.versions.count, 0);
    assert.equal(rig.versions.bytes, 0);
  });

  test('takes back what is not published', () => {
    const prng = new Prng(5);
    const rig = new TreeRig();
    for (let index = 0; index < 500; index++) {
      rig.put(randomBytes(prng, 4), Buffer.alloc(index % 300));
    }
    const before = rig.census();
    rig.pager.beginRecord();
    for (let index = 0; index < 500; index++) {
      const bytes = randomBytes(prng, 200);
      rig.writer.put(bytes, 0, 4, 4, 200);
    }
    rig.writer.finish();
    rig.pager.endRecord(rig.sequence + 1);
    assert.deepEqual(rig.census(), before, 'readers saw changes that were not published');
    rig.pager.undo();
    rig.freeList.forget();
    assert.deepEqual(rig.census(), before);
    rig.put(Buffer.from('one more'), Buffer.alloc(1));
    assert.equal(rig.census().entries, before.entries + 1);
    rig.assertSound();
  });

  test('refuses a key that is too long, and changes nothing', () => {
    const rig = new TreeRig();
    const most = keyBytesMax(4096);
    assert.throws(() => rig.writer.put(Buffer.alloc(most + 1), 0, most + 1, 0, 0), {
      code: 'HOLDFAST_TOO_LARGE',
    });
    rig.put(Buffer.alloc(most), Buffer.alloc(5000));
    assert.equal(rig.get(Buffer.alloc(most))?.length, 5000);
    rig.assertSound();
  });
});
