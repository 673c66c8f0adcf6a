import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AckLog, marksUpTo } from '../../../../src/lab/powercut/ack-log.ts';

describe('ack log', () => {
  it('notes a line at the place where its end arrived, never earlier', () => {
    let position = 3;
    const acks = new AckLog(() => position);
    assert.equal(acks.standardOutput(Buffer.from('sav')), false);
    position = 8;
    assert.equal(acks.standardOutput(Buffer.from('ed\nha')), true);
    assert.deepEqual(
      acks.marks.map((noted) => [noted.position, noted.mark.source, noted.mark.text]),
      [[8, 'stdout', 'saved\n']],
    );
    assert.deepEqual(marksUpTo(acks.marks, 7), []);
    assert.equal(marksUpTo(acks.marks, 8).length, 1);
  });

  it('keeps a character whole that arrives in two pieces', () => {
    const acks = new AckLog(() => 0);
    const bytes = Buffer.from('é\n');
    acks.standardOutput(bytes.subarray(0, 1));
    acks.standardOutput(bytes.subarray(1));
    assert.equal(acks.marks[0]?.mark.text, 'é\n');
  });

  it('counts a last line without an end, and the exit, once the program ended', () => {
    const acks = new AckLog(() => 5);
    acks.standardOutput(Buffer.from('no end'));
    acks.exit(0);
    assert.deepEqual(
      acks.marks.map((noted) => [noted.mark.source, noted.mark.text]),
      [
        ['stdout', 'no end'],
        ['exit', '0'],
      ],
    );
  });
});
