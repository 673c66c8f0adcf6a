/**
 * The doctor against real mounts: each test makes a file system on a loop device as root, mounts it with known
 * options and compares the answer with them. Every mount lives in a mount namespace of its own, which goes with the
 * process that made it, and loop devices free themselves with the mount: nothing is left after a failure or a kill.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DoctorJson } from '../../src/durable/doctor/doctor-json.ts';
import { examine } from '../../src/durable/doctor/examine.ts';
import { mountOfPath, parseMountInfo } from '../../src/durable/doctor/mount-table.ts';
import type { LinuxPlace } from '../../src/durable/doctor/place-facts.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-doctor-mounts-'));
});
after(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Why a test that needs these tools and file systems cannot run here; false when it can. */
function missing(tools: readonly string[], fileSystems: readonly string[]): string | false {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  for (const tool of ['unshare', 'mount', 'losetup', ...tools]) {
    const found = spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
    if (!found) return `needs ${tool}`;
  }
  const known = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);
  const absent = fileSystems.find((name) => !known.includes(name));
  if (absent !== undefined) return `this kernel has no ${absent}`;
  const tried = spawnSync('unshare', ['--mount', 'true']);
  return tried.status === 0 ? false : 'may not make a mount namespace';
}

interface Seen {
  readonly answer: DoctorJson;
  readonly facts: LinuxPlace;
  readonly exitCode: number;
  readonly mountInfo: string;
}

/**
 * Runs shell lines in a mount namespace of their own, with DIR an empty directory that is removed again, and asks
 * the doctor about `place`. `as` is put before the command.
 */
function seen(lines: readonly string[], place: string, as: string = ''): Seen {
  const home = mkdtempSync(join(directory, 'case-'));
  const script = [
    'set -e',
    `DIR='${home}'`,
    // mkfs for each of IMG1, IMG2; they are sparse.
    'image() { truncate -s "$2" "$DIR/$1"; }',
    ...lines,
    'cat /proc/self/mountinfo > "$DIR.mountinfo"',
    `${as} '${process.execPath}' '${MAIN}' doctor --json "${place}"`,
  ].join('\n');
  const run = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.ok(run.stdout.startsWith('{'), `${script}\n${run.stdout}${run.stderr}`);
  const answer = JSON.parse(run.stdout) as DoctorJson;
  const { facts } = answer;
  assert.ok(facts.platform === 'linux');
  return {
    answer,
    facts,
    exitCode: run.status ?? -1,
    mountInfo: readFileSync(`${home}.mountinfo`, 'utf8'),
  };
}

/** Ids of the reasons that this file system has beside those of the disk that the images are on. */
function ownReasons({ answer }: Seen): string[] {
  const below = new Set(examine(directory).answer.reasons.map((one) => one.text));
  return answer.reasons.filter((one) => !below.has(one.text)).map((one) => one.id);
}

function noteIds({ answer }: Seen): string[] {
  return answer.notes.map((one) => one.id);
}

interface Case {
  readonly name: string;
  readonly tools: readonly string[];
  readonly fileSystem: string;
  readonly size: string;
  readonly make: string;
  readonly mountOptions: string;
  /** Where it is not the file system's own name. */
  readonly type?: string;
  readonly model: string;
  readonly reasons: readonly string[];
  readonly notes?: readonly string[];
  readonly described: RegExp;
}

const EXT = { tools: ['mkfs.ext4'], fileSystem: 'ext4', size: '64M' } as const;
const XFS = { tools: ['mkfs.xfs'], fileSystem: 'xfs', size: '400M' } as const;
const BTRFS = { tools: ['mkfs.btrfs'], fileSystem: 'btrfs', size: '200M' } as const;

const CASES: readonly Case[] = [
  {
    ...EXT,
    name: 'ext4 as it is by default is data=ordered with barriers',
    make: 'mkfs.ext4 -q',
    mountOptions: 'rw',
    model: 'ext4',
    reasons: [],
    described: /data=ordered, barriers on, commit every 5 s/,
  },
  {
    ...EXT,
    name: 'ext4 with data=writeback is told apart',
    make: 'mkfs.ext4 -q',
    mountOptions: 'data=writeback',
    model: 'ext4-writeback',
    reasons: [],
    notes: ['data-writeback'],
    described: /data=writeback/,
  },
  {
    ...EXT,
    name: 'data=writeback as the default of the superblock, which mountinfo hides, is seen',
    tools: ['mkfs.ext4', 'tune2fs'],
    make: 'tune() { mkfs.ext4 -q $1; tune2fs -o journal_data_writeback $1 > /dev/null; }; tune',
    mountOptions: 'rw',
    model: 'ext4-writeback',
    reasons: [],
    notes: ['data-writeback'],
    described: /data=writeback/,
  },
  {
    ...EXT,
    name: 'ext4 with data=journal is told apart',
    make: 'mkfs.ext4 -q',
    mountOptions: 'data=journal',
    model: 'ext4-journal',
    reasons: [],
    notes: ['data-journal'],
    described: /data=journal/,
  },
  {
    ...EXT,
    name: 'ext4 with nobarrier keeps no promise',
    make: 'mkfs.ext4 -q',
    mountOptions: 'nobarrier',
    model: 'ext4+nobarrier',
    reasons: ['no-barrier'],
    described: /barriers off/,
  },
  {
    ...EXT,
    name: 'ext4 without a journal is seen, although no option says so',
    make: 'mkfs.ext4 -q -O ^has_journal',
    mountOptions: 'rw',
    model: 'ext4-nojournal',
    reasons: ['no-journal-rename', 'no-journal'],
    described: /no journal/,
  },
  {
    ...EXT,
    name: 'ext4 with nodelalloc, noauto_da_alloc and a long commit interval is told apart',
    make: 'mkfs.ext4 -q',
    mountOptions: 'nodelalloc,noauto_da_alloc,commit=60',
    model: 'ext4-nodelalloc',
    reasons: [],
    notes: ['auto-da-alloc', 'commit'],
    described: /nodelalloc, barriers on, commit every 60 s/,
  },
  {
    ...EXT,
    name: 'ext4 with fast_commit is seen, although no mount option says so',
    make: 'mkfs.ext4 -q -O fast_commit',
    mountOptions: 'rw',
    model: 'ext4+fastcommit',
    reasons: ['fast-commit-sync'],
    notes: ['fast-commit'],
    described: /fast_commit/,
  },
  {
    ...EXT,
    name: 'ext3 is ext4 without delayed allocation',
    make: 'mkfs.ext3 -q',
    type: 'ext3',
    mountOptions: 'rw',
    model: 'ext4-nodelalloc',
    reasons: [],
    described: /ext3 .*data=ordered, nodelalloc/,
  },
  {
    ...EXT,
    name: 'ext2 has no journal',
    make: 'mkfs.ext2 -q',
    type: 'ext2',
    mountOptions: 'rw',
    model: 'ext2',
    reasons: ['no-journal-rename', 'no-journal'],
    described: /ext2 .*no journal/,
  },
  {
    ...XFS,
    name: 'XFS keeps every promise',
    make: 'mkfs.xfs -q -f',
    mountOptions: 'rw',
    model: 'xfs',
    reasons: [],
    described: /xfs .*barriers on/,
  },
  {
    ...BTRFS,
    name: 'btrfs, whose mount has no device number, is traced to its device',
    make: 'mkfs.btrfs -q -f',
    mountOptions: 'rw',
    model: 'btrfs',
    reasons: [],
    described: /btrfs .*barriers on/,
  },
  {
    ...BTRFS,
    name: 'btrfs with nobarrier keeps no promise',
    make: 'mkfs.btrfs -q -f',
    mountOptions: 'nobarrier,nodatacow,commit=90',
    model: 'btrfs+nobarrier',
    reasons: ['no-barrier'],
    notes: ['no-copy-on-write', 'commit'],
    described: /btrfs .*barriers off/,
  },
];

for (const one of CASES) {
  const skip = missing(one.tools, [one.fileSystem]);
  test(one.name, { skip }, () => {
    const type = one.type ?? one.fileSystem;
    const result = seen(
      [
        `image i ${one.size}`,
        `${one.make} "$DIR/i" > /dev/null`,
        'mkdir "$DIR/m"',
        `mount -t ${type} -o loop,${one.mountOptions} "$DIR/i" "$DIR/m"`,
      ],
      '$DIR/m',
    );
    const { answer, facts } = result;
    assert.deepEqual(ownReasons(result), one.reasons);
    assert.match(answer.fileSystem, one.described);
    assert.equal(facts.mount?.fileSystem, type);
    assert.match(answer.devices.join(), /^loop\d+: loop device on .*\/i, volatile cache/);
    for (const id of one.notes ?? []) assert.ok(noteIds(result).includes(id), `note ${id}`);
    for (const id of ['data-writeback', 'data-journal', 'fast-commit', 'commit', 'auto-da-alloc']) {
      const expected = one.notes?.includes(id) ?? false;
      assert.equal(noteIds(result).includes(id), expected, `note ${id}`);
    }
    if (examine(directory).answer.verdict === 'fails') return;
    assert.equal(answer.model.name, one.model);
    const exitCodes = { holds: 0, fails: 1, assumed: 3 } as const;
    assert.equal(result.exitCode, exitCodes[answer.verdict]);
    assert.equal(answer.verdict === 'fails', one.reasons.includes('no-barrier'));
  });
}

const anyone = missing([], []);
const withExt4 = missing(['mkfs.ext4'], ['ext4']);
const withOverlay = missing(['mkfs.ext4'], ['ext4', 'overlay']);

/** A mounted ext4 image at `$DIR/NAME`. */
function ext4At(name: string, options: string = 'rw'): string[] {
  return [
    `image "${name}.img" 64M`,
    `mkfs.ext4 -q "$DIR/${name}.img"`,
    `mkdir -p "$DIR/${name}"`,
    `mount -o loop,${options} "$DIR/${name}.img" "$DIR/${name}"`,
  ];
}

test('tmpfs keeps nothing', { skip: anyone }, () => {
  const { answer, exitCode } = seen(['mkdir "$DIR/t"', 'mount -t tmpfs none "$DIR/t"'], '$DIR/t');
  assert.deepEqual(
    answer.reasons.map((one) => one.id),
    ['memory'],
  );
  assert.equal(answer.promises['P1']?.verdict, 'fails');
  assert.equal(answer.promises['P2']?.verdict, 'holds', 'nothing wrong comes back either');
  assert.equal(exitCode, 1);
});

test('an ext4 image on tmpfs keeps nothing', { skip: withExt4 }, () => {
  const lines = ['mkdir "$DIR/t"', 'mount -t tmpfs none "$DIR/t"', ...ext4At('t/m')];
  const { answer } = seen(lines, '$DIR/t/m');
  assert.deepEqual(
    answer.reasons.map((one) => one.id),
    ['memory'],
  );
  assert.equal(answer.model.name, 'ext4+volatile');
});

test('nobarrier below a loop device reaches the file system on it', { skip: withExt4 }, () => {
  const lines = [...ext4At('low', 'nobarrier'), ...ext4At('low/high')];
  const result = seen(lines, '$DIR/low/high');
  assert.deepEqual(ownReasons(result), ['no-barrier']);
  assert.equal(result.answer.promises['P1']?.verdict, 'fails');
});

/** An overlay at `$DIR/m` whose upper layer is on a fresh ext4, in a directory called `upper`. */
function overlay(options: string, upper: string = 'u'): string[] {
  return [
    ...ext4At('e'),
    `mkdir -p "$DIR/l" "$DIR/m" "$DIR/e/${upper}" "$DIR/e/w"`,
    `mount -t overlay -o "lowerdir=$DIR/l,upperdir=$DIR/e/${upper.replace(',', '\\,')},` +
      `workdir=$DIR/e/w${options}" overlay "$DIR/m"`,
  ];
}

test('an overlay is judged by the file system of its upper layer', { skip: withOverlay }, () => {
  const result = seen(overlay(''), '$DIR/m');
  assert.equal(result.facts.upper?.mount?.fileSystem, 'ext4');
  assert.deepEqual(ownReasons(result), []);
  assert.equal(result.answer.model.name.startsWith('ext4'), true);
  assert.ok(noteIds(result).includes('overlay-copy-up'));
});

test('a volatile overlay keeps no promise', { skip: withOverlay }, () => {
  const result = seen(overlay(',volatile'), '$DIR/m');
  assert.deepEqual(ownReasons(result), ['overlay-volatile']);
  assert.equal(result.answer.model.name, 'ext4+volatile');
  assert.equal(result.answer.promises['P1']?.verdict, 'fails');
  assert.equal(result.exitCode, 1);
});

test('an upper layer with a space and a comma in its path is found', { skip: withOverlay }, () => {
  const { facts } = seen(overlay('', 'my, upper'), '$DIR/m');
  assert.match(facts.upper?.directory ?? '', /\/e\/my, upper$/);
});

test('an overlay whose upper layer is hidden is only assumed', { skip: withOverlay }, () => {
  // What a container sees: the paths of the host are not there.
  const lines = [...overlay(''), 'cd /', 'umount -l "$DIR/e"'];
  const result = seen(lines, '$DIR/m');
  assert.deepEqual(ownReasons(result), ['overlay-upper-hidden']);
  assert.equal(result.exitCode, 3);
});

test('a bind mount is told by the file system it shows', { skip: withExt4 }, () => {
  const lines = [
    ...ext4At('a b'),
    'mkdir -p "$DIR/a b/in side/deep" "$DIR/bind"',
    'mount --bind "$DIR/a b/in side" "$DIR/bind"',
  ];
  const result = seen(lines, '$DIR/bind/deep');
  assert.equal(result.facts.mount?.root, '/in side');
  assert.equal(result.facts.ext4?.dataMode, 'ordered');
  assert.ok(noteIds(result).includes('bind-mount'));
});

test(
  'stacked and hidden mounts are resolved as the kernel resolves them',
  { skip: withExt4 },
  () => {
    const lines = [
      'mkdir -p "$DIR/p/q"',
      'mount -t tmpfs low "$DIR/p/q"',
      // Now everything below p is hidden by another mount, which has a q of its own.
      ...ext4At('p'),
      'mkdir -p "$DIR/p/q"',
    ];
    for (const [extra, type] of [
      [[], 'ext4'],
      [['mount -t tmpfs one "$DIR/p/q"', 'mount -t tmpfs two "$DIR/p/q"'], 'tmpfs'],
    ] as const) {
      const { facts, mountInfo } = seen([...lines, ...extra], '$DIR/p/q');
      assert.equal(facts.mount?.fileSystem, type);
      if (type === 'tmpfs') assert.equal(facts.mount.source, 'two');
      // The walk by path, used where a directory does not tell its mount, must agree with the kernel.
      assert.deepEqual(mountOfPath(parseMountInfo(mountInfo), facts.directory), facts.mount);
    }
  },
);

const withPartitions = missing(['mkfs.ext4', 'addpart', 'delpart'], ['ext4']);

test('a partition is traced to its disk', { skip: withPartitions }, () => {
  const lines = [
    'image i 64M',
    'LOOP=$(losetup -f --show "$DIR/i")',
    'trap \'umount "$DIR/m"; delpart "$LOOP" 1; losetup -d "$LOOP"\' EXIT',
    // Also where the kernel reads no partition tables.
    'addpart "$LOOP" 1 2048 100000',
    'mkfs.ext4 -q "${LOOP}p1"',
    'mkdir "$DIR/m"',
    'mount "${LOOP}p1" "$DIR/m"',
  ];
  const { facts, answer } = seen(lines, '$DIR/m');
  assert.match(facts.mount?.source ?? '', /loop\d+p1$/);
  assert.match(facts.devices[0]?.device.name ?? '', /^loop\d+$/);
  assert.equal(facts.ext4?.dataMode, 'ordered', 'the options are under the name of the partition');
  assert.match(answer.model.name, /^ext4(\+|$)/);
});

test('btrfs over two devices shows both', { skip: missing(['mkfs.btrfs'], ['btrfs']) }, () => {
  const lines = [
    'image i 200M; image j 200M',
    'A=$(losetup -f --show "$DIR/i"); B=$(losetup -f --show "$DIR/j")',
    'trap \'losetup -d "$A" "$B" 2> /dev/null || true\' EXIT',
    'mkfs.btrfs -q -f "$A" "$B" > /dev/null',
    'mkdir "$DIR/m"',
    'mount -o device="$A",device="$B" "$A" "$DIR/m"',
    'losetup -d "$A" "$B"',
  ];
  const { answer } = seen(lines, '$DIR/m');
  assert.equal(answer.devices.length, 2);
});

test(
  'a user without rights sees the same journal',
  { skip: missing(['mkfs.ext4', 'setpriv'], ['ext4']) },
  (t) => {
    const as = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
    if (spawnSync('sh', ['-c', `${as} test -r '${MAIN}'`]).status !== 0) {
      t.skip('the build cannot be read by another user');
      return;
    }
    const open = 'chmod 755 "$DIR" "$(dirname "$DIR")"';
    const { facts } = seen([open, ...ext4At('m')], '$DIR/m', as);
    assert.equal(facts.ext4?.journal, 'present');
    assert.equal(facts.ext4.dataMode, 'ordered');
  },
);

const withExport = missing(['mkfs.ext4', 'qemu-storage-daemon'], ['ext4', 'fuse']);

test('an image that a program exports through FUSE is only assumed', { skip: withExport }, () => {
  const lines = [
    'image i 64M; touch "$DIR/exported"',
    'qemu-storage-daemon --blockdev "driver=file,filename=$DIR/i,node-name=n" --export ' +
      '"type=fuse,id=e,node-name=n,mountpoint=$DIR/exported,writable=on" ' +
      '--pidfile "$DIR/pid" & SERVER=$!',
    'trap \'umount "$DIR/m"; kill $SERVER; wait $SERVER\' EXIT',
    // The pid file is written once the export stands.
    'while ! [ -s "$DIR/pid" ]; do kill -0 $SERVER; sleep 0.05; done',
    'mkfs.ext4 -q "$DIR/exported"; mkdir "$DIR/m"',
    'mount -o loop "$DIR/exported" "$DIR/m"',
  ];
  const result = seen(lines, '$DIR/m');
  assert.deepEqual(ownReasons(result), ['fuse']);
  assert.equal(result.exitCode, 3);
});

test('measuring on a disk that is full or read-only fails in one line', { skip: anyone }, () => {
  for (const [options, words] of [
    ['size=64k', 'the disk is full'],
    ['ro', 'it is mounted read-only'],
  ]) {
    const script = [
      `mount -t tmpfs -o ${options} none '${directory}'`,
      `'${process.execPath}' '${MAIN}' doctor --measure '${directory}'; echo "exit $?"`,
      `ls -A '${directory}'`,
    ].join('\n');
    const run = spawnSync('unshare', ['--mount', 'sh', '-c', script], { encoding: 'utf8' });
    assert.equal(run.stdout, 'exit 2\n', 'no answer, and no file left');
    assert.equal(run.stderr, `holdfast doctor: cannot measure in ${directory}: ${words}\n`);
  }
});

test('nothing stays mounted or attached after a failure', { skip: withExt4 }, () => {
  const marker = join(directory, 'case-');
  assert.throws(() => seen([...ext4At('m'), 'false'], '$DIR/m'), /mkfs\.ext4/);
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(marker));
  const loops = spawnSync('losetup', ['-a'], { encoding: 'utf8' }).stdout;
  assert.ok(!loops.includes(marker), loops);
});
