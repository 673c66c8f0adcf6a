import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PowercutResult } from '../../../../src/lab/powercut/powercut-result.ts';
import {
  powercutText,
  type PowercutTextStyle,
} from '../../../../src/lab/powercut/powercut-text.ts';

const same = (text: string): string => text;
const STYLE: PowercutTextStyle = {
  bold: same,
  red: same,
  green: same,
  yellow: same,
  dim: same,
  printable: (text) => text.replaceAll('\u001b', '\\x1b'),
};

const EXAMPLE = {
  run: 0,
  epoch: 2,
  position: 7,
  inFlight: 3,
  lost: [{ entry: 6, offset: 8192, length: 4096, keptFrom: 0, keptTo: 512 }],
};

const CLEAN: PowercutResult = {
  findings: [],
  damage: [],
  complete: true,
  certificate: {
    kernel: '6.18.0',
    fileSystem: 'ext4',
    mountOptions: '',
    program: ['sh', 'save.sh'],
    seed: 1,
    sectorBytes: 512,
    subsetsMax: 256,
    tornMax: 32,
    runs: [
      {
        perturbed: ['commit@tick', 'commit@end', 'write-back@end'],
        marks: 2,
        entries: 20,
        epochs: 8,
        subsets: '59',
        sampledEpochs: 0,
        states: 190,
        distinctImages: 70,
        newImages: 70,
        skippedImages: 0,
      },
    ],
    imagesMounted: 70,
    distinctTrees: 3,
    treesChecked: 3,
    fileSystemsChecked: 70,
    fileSystemsClean: 70,
    devices: 2,
    imagesPerSecond: 200,
    fileSystemChecksPerSecond: 90,
    checksPerSecond: null,
  },
};

describe('text of a power cut', () => {
  it('says what was looked at when nothing was found', () => {
    const text = powercutText(CLEAN, STYLE);
    assert.match(text, /^power cut on ext4, Linux 6\.18\.0\nsh save\.sh\n/);
    assert.match(text, /\nnothing found\n/);
    assert.match(text, /perturbed by 2 commits, 1 write-back/);
    assert.match(text, /70 disks mounted and read \(200 a second\); 3 different trees, 3 checks\n/);
    assert.match(text, /70 file systems checked, all clean \(90 a second\)/);
  });

  it('tells a finding with the block writes that were lost and the tree that was left', () => {
    const finding = { message: 'lost', trees: 2, example: EXAMPLE, marks: 1, tree: ['a 0 bytes'] };
    const text = powercutText({ ...CLEAN, findings: [finding] }, STYLE);
    assert.match(text, /FOUND lost\n {2}on 2 different trees/);
    assert.match(text, /power cut after 7 block-log entries; 1 of 3 writes in flight lost or torn/);
    assert.match(text, /write 6: 4096 bytes at 8192, bytes 0 to 512 kept/);
    assert.match(text, /\n {4}a 0 bytes\n/);
    assert.match(text, /\n1 finding\n/);
  });

  it('never says that nothing was found where something could not be looked at', () => {
    const damage = { message: 'bad', images: 2, imagesWithoutTear: 1, example: EXAMPLE };
    const text = powercutText({ ...CLEAN, damage: [damage], complete: false }, STYLE);
    assert.match(text, /FILE SYSTEM DAMAGED bad\n {2}on 2 disks, 1 of them without any torn write/);
    assert.match(text, /nothing found, but not everything could be looked at/);
    assert.doesNotMatch(text, /all clean/);
  });

  it('lets no message of a program steer the terminal', () => {
    const finding = {
      message: 'a\u001b[2Jb',
      trees: 1,
      example: EXAMPLE,
      marks: 0,
      tree: ['x\u001b 0 bytes'],
    };
    assert.ok(!powercutText({ ...CLEAN, findings: [finding] }, STYLE).includes('\u001b'));
  });
});
