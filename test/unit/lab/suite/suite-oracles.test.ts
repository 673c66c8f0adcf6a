import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CrashTest, CrashTestResult } from '../../../../src/lab/suite/crash-test.ts';
import { explore } from '../../../../src/lab/suite/explore-crash-test.ts';
import { oracles } from '../../../../src/lab/suite/suite-oracles.ts';
import { readWholeFileSync, writeFullySync } from '../../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../../src/vfs/vfs.ts';
import { fileTree } from '../../../support/file-tree-builder.ts';

const RECORDS = ['one', 'two', 'three'];

/** Appends a line for each record and acknowledges it, with or without a sync before. */
function logging(sync: boolean): Pick<CrashTest, 'tree' | 'workload' | 'models'> {
  return {
    models: ['prefix', 'ext4', 'posix'],
    tree: fileTree({ log: '' }),
    workload: (vfs, { mark }) => {
      const file = vfs.openSync('/log', { write: true });
      let offset = 0;
      for (const record of RECORDS) {
        const bytes = Buffer.from(`${record}\n`);
        writeFullySync(file, bytes, offset);
        offset += bytes.length;
        if (sync) file.syncSync();
        mark(record);
      }
      file.closeSync();
    },
  };
}

function records(vfs: Vfs): string[] {
  const lines = Buffer.from(readWholeFileSync(vfs, '/log')).toString('latin1').split('\n');
  // What has no end, or is no record, was not written whole.
  const torn = lines.findIndex((line) => !/^[a-z]+$/.test(line));
  return lines.slice(0, torn);
}

function messages({ findings }: CrashTestResult): string {
  return findings.map(({ example }) => example.message).join('\n');
}

test('prefix: what was acknowledged is there in order, and nothing else', async () => {
  const check = oracles.prefix({ list: records, issued: RECORDS });
  assert.equal((await explore({ ...logging(true), check })).verdict, 'passed');
  const result = await explore({ ...logging(false), check });
  assert.equal(result.verdict, 'found');
  assert.match(messages(result), /acknowledged record 3 is gone: "three"/);
});

test('monotone: a counter never goes back behind what was acknowledged', async () => {
  const check = oracles.monotone({
    read: (vfs) => records(vfs).length,
    acknowledged: (marks) => marks.length,
    highest: 3,
  });
  assert.equal((await explore({ ...logging(true), check })).verdict, 'passed');
  const result = await explore({ ...logging(false), check });
  assert.match(messages(result), /went back to 2 after 3 was acknowledged/);
});

test('opens: recovery that throws is the finding', async () => {
  const check = oracles.opens((vfs) => {
    const text = Buffer.from(readWholeFileSync(vfs, '/log')).toString('latin1');
    if (text !== '' && !text.endsWith('\n')) throw new Error('the log ends in the middle');
  });
  const result = await explore({ ...logging(true), check });
  assert.equal(result.verdict, 'found');
  assert.match(messages(result), /recovery fails: the log ends in the middle/);
  const passing = oracles.opens((vfs) => vfs.statSync('/log'));
  assert.equal((await explore({ ...logging(true), check: passing })).verdict, 'passed');
});

function replacing(sync: boolean): Pick<CrashTest, 'tree' | 'workload'> {
  return {
    tree: fileTree({ a: 'old content' }),
    workload: (vfs) => {
      const file = vfs.openSync('/b', { write: true, create: true });
      writeFullySync(file, Buffer.from('new content'), 0);
      if (sync) file.datasyncSync();
      file.closeSync();
      vfs.renameSync('/b', '/a');
      const directory = vfs.openDirectorySync('/');
      directory.syncSync();
      directory.closeSync();
    },
  };
}

test('old or new: a replaced file is whole, without a check of one’s own', async () => {
  const check = oracles.oldOrNew();
  assert.equal((await explore({ ...replacing(true), check, faults: true })).verdict, 'passed');
  const result = await explore({ ...replacing(false), check });
  assert.equal(result.verdict, 'found');
  assert.equal(result.findings[0]?.example.sync?.call, 'fdatasync');
});

test('robust: what only a reordering can show is found without knowing the program', async () => {
  const check = oracles.robust({
    dump: (vfs) => {
      const names = vfs.readDirectorySync('/').map(({ name }) => name);
      return (
        JSON.stringify(names.toSorted()) + Buffer.from(readWholeFileSync(vfs, '/a')).toString()
      );
    },
  });
  assert.equal((await explore({ ...replacing(true), check, models: ['ext4'] })).verdict, 'passed');
  const result = await explore({ ...replacing(false), check, models: ['ext4'] });
  assert.equal(result.verdict, 'found');
  assert.match(messages(result), /no crash in order gives this/);
});
