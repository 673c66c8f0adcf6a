/** What `HoldfastLevel` adds to `abstract-level`: options, methods, fairness, errors. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AbstractLevel } from 'abstract-level';

import type { EngineKind } from '../../../src/engine/engine-kind.ts';
import { MemoryKind } from '../../../src/engine/memory-kind.ts';
import { HoldfastLevel } from '../../../src/index.ts';
import type { LevelOptions } from '../../../src/level/level-options.ts';
import { lateKind } from '../../support/late-engine.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const NOT_OPEN = { code: 'LEVEL_DATABASE_NOT_OPEN' };

function memory<K = string, V = string>(options: LevelOptions<K, V> = {}): HoldfastLevel<K, V> {
  return new HoldfastLevel<K, V>('memory', { engine: 'memory', ...options });
}

/** A kind that tells with which policies it was opened and written to. */
function policyKind(): { readonly kind: EngineKind; readonly seen: unknown[] } {
  const late = lateKind();
  const seen: unknown[] = [];
  const open: EngineKind['open'] = async (directory, options) => {
    seen.push(options?.sync);
    const engine = await late.open(directory, options);
    return {
      ...engine,
      write: (batch, policy) => {
        seen.push(policy);
        return engine.write(batch, policy);
      },
      writeSync: (batch, policy) => {
        seen.push(policy);
        engine.writeSync(batch, policy);
      },
      clear: (range, policy) => {
        seen.push(policy);
        return engine.clear(range, 'none');
      },
    };
  };
  return { kind: { ...late, open }, seen };
}

function cause(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as { code: string }).code, NOT_OPEN.code);
    assert.equal((error as { cause: { code: string } }).cause.code, code);
    return true;
  };
}

describe('HoldfastLevel', () => {
  it('is an abstract-level store for the compiler too', async () => {
    const db = memory<string, number>({ valueEncoding: 'json' });
    const general = <K, V>(
      store: AbstractLevel<string | Buffer | Uint8Array, K, V>,
    ): typeof store => store;
    general(db);
    await db.put('a', 1, { sync: 'batch' });
    await db.batch([{ type: 'put', key: 'b', value: 2 }], { sync: false });
    await db.batch().put('c', 3).write({ sync: true });
    let sum = 0;
    for await (const [, value] of db.iterator({ highWaterMarkBytes: 1 })) sum += value;
    assert.equal(sum, 6);
    await db.close();
  });

  it('has the properties of LevelDB in its form', async (scope) => {
    const db = new HoldfastLevel(temporaryDirectory(scope));
    await db.open();
    await db.put('a', '1');
    await db.put('\u00e9', '2');
    await db.compact();
    const counts = [0, 1, 2, 3, 4, 5, 6].map((level) =>
      db.getProperty(`leveldb.num-files-at-level${level}`),
    );
    const level = counts.indexOf('1');
    assert.equal(counts.filter((count) => count === '0').length, 6);
    assert.equal(db.getProperty('leveldb.num-files-at-level7'), '');
    const stats = db.getProperty('leveldb.stats').split('\n');
    assert.equal(stats[1], 'Level  Files Size(MB) Time(sec) Read(MB) Write(MB)');
    assert.equal(stats[3], `  ${level}        1        0         0        0         0`);
    const tables = db.getProperty('leveldb.sstables');
    assert.match(tables, /^--- level 0 ---\n/);
    assert.match(tables, / \d+:\d+\['a' @ \d+ : 1 \.\. '\\xc3\\xa9' @ \d+ : 1\]\n/);
    assert.match(tables, /--- level 6 ---\n$/);
    await db.close();
  });

  it('refuses a wrong location, engine, policy and time to live', async () => {
    assert.throws(() => new HoldfastLevel(''), /non-empty string/);
    assert.throws(() => new HoldfastLevel(7 as never), TypeError);
    assert.throws(() => new HoldfastLevel('x', { engine: 'level' as never }), /no engine 'level'/);
    assert.throws(() => memory({ sync: 'always' as never }), /sync must be/);
    const db = memory();
    await assert.rejects(db.put('a', '1', { sync: 'always' as never }), /sync must be/);
    await assert.rejects(db.put('a', '1', { ttl: -5 }), /ttl must be/);
    await assert.rejects(db.put('a', '1', { ttl: 5 }), {
      code: 'HOLDFAST_UNSUPPORTED',
      message: /no entries that expire.*engine: 'bitcask'/,
    });
    const batch = db.batch().put('a', '1', { ttl: 5 });
    await assert.rejects(batch.write(), { code: 'HOLDFAST_UNSUPPORTED' });
    await assert.rejects(HoldfastLevel.destroy(''), TypeError);
    await assert.rejects(HoldfastLevel.repair(''), TypeError);
    await db.close();
  });

  it('hands the policy of the store and of each call to the engine', async () => {
    const { kind, seen } = policyKind();
    const db = new HoldfastLevel('p', { engine: kind, sync: false });
    await db.open();
    await db.put('a', '1');
    await db.put('a', '1', { sync: true });
    await db.del('a', { sync: false });
    await db.batch([{ type: 'put', key: 'b', value: '1' }], { sync: 'batch' });
    await db.batch().put('c', '1').write({ sync: 'none' });
    await db.clear({ sync: 'sync' });
    db.putSync('a', '1', { sync: 'batch' });
    db.delSync('a');
    assert.deepEqual(seen.join(' '), 'false  sync none batch none sync batch ');
    await db.close();
  });

  it('puts and deletes in one call, with encodings, checks and the event', async () => {
    const db = memory();
    assert.throws(() => db.putSync('a', '1'), NOT_OPEN);
    await db.open();
    const events: unknown[] = [];
    db.on('write', (operations: Record<string, unknown>[]) => {
      for (const { type, key, value } of operations) events.push([type, key, value]);
    });
    db.putSync('a', { n: 1 } as never, { valueEncoding: 'json' });
    assert.equal(db.getSync('a'), '{"n":1}');
    db.putSync(Buffer.from([0x62]), 'x', { keyEncoding: 'buffer' });
    assert.equal(await db.get('b'), 'x');
    db.delSync('a');
    assert.equal(db.getSync('a'), undefined);
    assert.deepEqual(
      events.map((event) => (event as unknown[])[0]),
      ['put', 'put', 'del'],
    );
    assert.throws(() => db.putSync(null as never, ''), { code: 'LEVEL_INVALID_KEY' });
    assert.throws(() => db.putSync('a', undefined as never), { code: 'LEVEL_INVALID_VALUE' });
    db.hooks.prewrite.add(() => {});
    assert.throws(() => db.putSync('a', '1'), { code: 'LEVEL_NOT_SUPPORTED' });
    await db.close();
  });

  it('looks after a store: size, compact, verify, stats, properties; also before it is open', async () => {
    const db = memory();
    const verified = db.verify();
    const size = db.approximateSize('a', 'b');
    assert.throws(() => db.stats(), NOT_OPEN);
    assert.throws(() => db.recovery, NOT_OPEN);
    assert.throws(() => db.getProperty('leveldb.stats'), NOT_OPEN);
    assert.equal((await verified).sound, true);
    assert.equal(await size, 0);
    await db.batch([
      { type: 'put', key: 'a1', value: '12345' },
      { type: 'put', key: 'b1', value: '12345' },
    ]);
    assert.equal(await db.approximateSize('a', 'b'), 7);
    assert.equal(
      await db.approximateSize(Buffer.from('a'), Buffer.from('c'), { keyEncoding: 'buffer' }),
      14,
    );
    await assert.rejects(db.approximateSize('a', undefined as never), TypeError);
    await db.compactRange('a', 'b');
    await db.compact();
    assert.equal(db.stats().entries, 2);
    assert.equal(db.recovery.created, true);
    assert.equal(db.getProperty('leveldb.approximate-memory-usage'), '14');
    assert.equal(db.getProperty('unknown'), '');
    assert.equal(db.getProperty('leveldb.stats'), '');
    await assert.rejects(db.backup('elsewhere'), { code: 'HOLDFAST_USAGE' });
    await db.close();
    await assert.rejects(db.verify(), NOT_OPEN);
    await assert.rejects(db.compactRange('a', 'b'), NOT_OPEN);
  });

  it('gives the engine’s error as the cause when it cannot open', async () => {
    const kind = new MemoryKind();
    const first = new HoldfastLevel('one', { engine: kind });
    await first.open();
    const second = new HoldfastLevel('one', { engine: kind });
    await assert.rejects(second.open(), cause('HOLDFAST_LOCKED'));
    const other = new HoldfastLevel('two', { engine: kind, createIfMissing: false });
    await assert.rejects(other.open(), cause('HOLDFAST_MISSING'));
    await first.close();
    await second.open();
    await second.close();
  });

  it('lets the event loop go round between answers that wait for nothing', async () => {
    const db = memory();
    await db.open();
    const turns = { count: 0 };
    const going = { on: true };
    const tick = (): void => {
      turns.count++;
      if (going.on) setImmediate(tick);
    };
    for (let start = 0; start < 5; start++) {
      const batch = db.batch();
      for (let index = 0; index < 1000; index++) batch.put(`${start}-${index}`, 'v');
      await batch.write();
    }
    setImmediate(tick);
    for (let index = 0; index < 1000; index++) await db.get('0-1');
    const afterGets = turns.count;
    for await (const key of db.keys()) void key;
    const afterScan = turns.count;
    going.on = false;
    assert.ok(afterGets >= 2, `${afterGets} turns during 1000 reads`);
    assert.ok(afterScan - afterGets >= 2, `${afterScan - afterGets} turns during a scan`);
    await db.close();
  });

  it('ends a read that waits as soon as its signal says so', async () => {
    const kind = lateKind();
    const db = new HoldfastLevel('late', { engine: kind });
    await db.batch([
      { type: 'put', key: 'a', value: '1' },
      { type: 'put', key: 'b', value: '2' },
    ]);
    const control = new AbortController();
    const iterator = db.iterator({ signal: control.signal });
    assert.deepEqual(await iterator.next(), ['a', '1']);
    const waiting = iterator.next();
    assert.equal(kind.waiting.count, 1);
    control.abort();
    await assert.rejects(waiting, { code: 'LEVEL_ABORTED', name: 'AbortError' });
    iterator.seek('a');
    await assert.rejects(iterator.next(), { code: 'LEVEL_ABORTED' });
    await iterator.close();
    await db.close();
  });

  it('gives no more bytes at once than the mark asks for', async () => {
    const db = memory();
    await db.open();
    const batch = db.batch();
    for (let index = 0; index < 50; index++) batch.put(`k${index}`, 'v'.repeat(100));
    await batch.write();
    const iterator = db.iterator({ highWaterMarkBytes: 1000 });
    const { length } = await iterator.nextv(50);
    assert.ok(length >= 9 && length <= 10, `${length} entries`);
    await iterator.close();
    await db.close();
  });

  it('refuses a snapshot of something else, and one that was closed', async () => {
    const db = memory();
    await db.open();
    await assert.rejects(db.clear({ snapshot: { ref() {}, unref() {} } as never }), TypeError);
    const snapshot = db.snapshot();
    await db.put('a', '1');
    assert.equal(await db.get('a', { snapshot }), undefined);
    await snapshot.close();
    await assert.rejects(db.get('a', { snapshot }), { code: 'LEVEL_SNAPSHOT_NOT_OPEN' });
    await db.close();
  });

  it('finds no store to destroy or repair where none is', async (scope) => {
    const directory = temporaryDirectory(scope);
    await HoldfastLevel.destroy(directory);
    await assert.rejects(HoldfastLevel.repair(directory), { code: 'HOLDFAST_MISSING' });
  });
});
