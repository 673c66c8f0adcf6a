/**
 * A file system on a disk that can be told to fail: image, `blkdebug` of qemu-storage-daemon, FUSE export, loop device,
 * mount. Blocks fail from one moment to another, and are whole again when told so. The daemon is spoken to over its
 * control socket (QMP): the format node gets another child while it is in use. Everything goes with `close`.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type DiskProfile,
  diskProfile,
  mountArguments,
} from '../../src/lab/powercut/disk-profile.ts';
import { Keeper } from '../../src/lab/powercut/keeper.ts';
import { makeWorkDirectory, noteKeeper } from '../../src/lab/powercut/work-directory.ts';

const SECTOR_BYTES = 512;
const BLOCK_BYTES = 4096;
/** The daemon takes seconds over a few thousand blocks, and data is put at the beginning of a chunk first. */
const CHUNK_BYTES_MAX = 1 << 20;
const START_MS = 10_000;

/** Byte ranges of the disk. */
export interface DiskRange {
  readonly offset: number;
  readonly length: number;
}

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

export class FailingDisk {
  readonly #profile: DiskProfile;
  readonly #keeper: Keeper;
  readonly #work: string;
  #device = '';
  #control: Socket | null = null;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #nodes = 0;

  private constructor(profile: DiskProfile, keeper: Keeper, work: string) {
    this.#profile = profile;
    this.#keeper = keeper;
    this.#work = work;
  }

  /** A fresh file system, mounted. */
  static async create(fileSystem: string): Promise<FailingDisk> {
    const work = makeWorkDirectory();
    const keeper = await Keeper.start(work);
    const disk = new FailingDisk(diskProfile(fileSystem), keeper, work);
    try {
      noteKeeper(work, keeper.pid);
      await disk.#start();
      await disk.mount();
      return disk;
    } catch (error) {
      // Nothing half made may stay.
      await disk.close();
      throw error;
    }
  }

  /** The root of the file system, for this process. */
  get path(): string {
    return this.#keeper.outside(join(this.#work, 'disk'));
  }

  /** The image, which holds what has reached the disk. */
  get imagePath(): string {
    return join(this.#work, 'image');
  }

  async mount(): Promise<void> {
    await this.#mountAt(this.#device, 'disk');
  }

  async unmount(): Promise<void> {
    await this.#keeper.unmount(join(this.#work, 'disk'));
  }

  /** From now on writes that touch one of these ranges fail with EIO; all writes where there is none. */
  async fail(ranges: readonly DiskRange[]): Promise<void> {
    const rule = { event: 'none', iotype: 'write', errno: 5, once: false, immediately: false };
    const sectors = ranges.flatMap(({ offset, length }) =>
      Array.from({ length: Math.ceil(length / BLOCK_BYTES) }, (_, index) => ({
        ...rule,
        sector: (offset + index * BLOCK_BYTES) / SECTOR_BYTES,
      })),
    );
    await this.#switchTo(sectors.length === 0 ? [rule] : sectors);
  }

  async heal(): Promise<void> {
    await this.#switchTo([]);
  }

  /**
   * Where a file, or every file below a directory, is on the disk. On btrfs, which writes data anew in other places:
   * where the first data of any file is; REQUIRES there that the file system is small, and what it holds synced.
   */
  rangesOf(path: string): DiskRange[] {
    if (this.#profile.type === 'btrfs') return dataChunksOf(this.imagePath);
    const files = execFileSync('find', [path, '-type', 'f', '-size', '+0'], { encoding: 'utf8' });
    return files
      .split('\n')
      .filter((file) => file !== '')
      .flatMap((file) => extentsOf(file));
  }

  /** Mounts a copy of what is on the disk now, as after a power cut, while `use` runs. */
  async afterPowerCut<T>(use: (path: string) => Promise<T>): Promise<T> {
    const copy = join(this.#work, 'cut-image');
    execFileSync('cp', ['--sparse=always', this.imagePath, copy]);
    const device = await this.#keeper.attachLoop(copy);
    await this.#mountAt(device, 'cut');
    try {
      return await use(this.#keeper.outside(join(this.#work, 'cut')));
    } finally {
      await this.#keeper.unmount(join(this.#work, 'cut'));
      await this.#keeper.detachLoop(device);
      rmSync(copy);
    }
  }

  async close(): Promise<void> {
    this.#control?.destroy();
    await this.#keeper.close();
    rmSync(this.#work, { recursive: true, force: true });
  }

  async #mountAt(source: string, name: string): Promise<void> {
    const target = join(this.#work, name);
    mkdirSync(target, { recursive: true });
    const { type, mountOptions, copyOptions } = this.#profile;
    const options = mountArguments(mountOptions, copyOptions);
    await this.#keeper.mount({ source, target, type, ...options });
  }

  async #start(): Promise<void> {
    const at = (name: string): string => join(this.#work, name);
    writeFileSync(this.imagePath, '');
    truncateSync(this.imagePath, this.#profile.sizeBytes);
    const [command = '', ...words] = this.#profile.format;
    execFileSync(command, [...words, this.imagePath]);
    writeFileSync(at('export'), '');
    const daemon = await this.#keeper.startServer(at('errors'), [
      'qemu-storage-daemon',
      '--chardev',
      `socket,path=${at('control')},server=on,wait=off,id=control`,
      '--monitor',
      'chardev=control',
      '--blockdev',
      `driver=file,node-name=disk,filename=${this.imagePath}`,
      '--blockdev',
      'driver=raw,node-name=top,file=disk',
      '--export',
      `type=fuse,id=export,node-name=top,mountpoint=${at('export')},writable=on`,
      '--pidfile',
      at('pid'),
    ]);
    const deadline = performance.now() + START_MS;
    while (!existsSync(at('pid'))) {
      if (performance.now() > deadline) throw new Error('qemu-storage-daemon did not start');
      await sleep(5);
    }
    await this.#connect(at('control'));
    this.#device = await this.#keeper.attachLoop(this.#keeper.ofServer(daemon, at('export')));
  }

  async #connect(path: string): Promise<void> {
    const socket = connect(path);
    this.#control = socket;
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: Buffer | string) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = JSON.parse(line) as Reply;
        if ('return' in reply || 'error' in reply) this.#waiting.shift()?.(reply);
      }
    });
    // The daemon ends with the keeper, which may be before this side is closed.
    socket.on('error', () => undefined);
    await this.#ask('qmp_capabilities', {});
  }

  async #switchTo(rules: readonly object[]): Promise<void> {
    const name = `faults${this.#nodes++}`;
    const faults = rules.length === 0 ? {} : { 'inject-error': rules };
    const node = { driver: 'blkdebug', 'node-name': name, image: 'disk', ...faults };
    await this.#ask('blockdev-add', node);
    await this.#ask('blockdev-reopen', {
      options: [{ driver: 'raw', 'node-name': 'top', file: name }],
    });
  }

  async #ask(execute: string, words: object): Promise<void> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.push(resolve);
      this.#control?.write(`${JSON.stringify({ execute, arguments: words })}\n`);
    });
    if (reply.error !== undefined) throw new Error(`${execute}: ${reply.error.desc}`);
  }
}

/** `filefrag -v`: ` 0:        0..       3:       2051..      2054:      4: …`, in blocks of `-b4096`. */
function extentsOf(file: string): DiskRange[] {
  const told = execFileSync('filefrag', ['-v', '-b4096', file], { encoding: 'utf8' });
  return [...told.matchAll(/^ *\d+: +\d+\.\. *\d+: +(\d+)\.\. *\d+: +(\d+):/gm)].map((match) => ({
    offset: Number(match[1]) * BLOCK_BYTES,
    length: Number(match[2]) * BLOCK_BYTES,
  }));
}

/** `btrfs inspect-internal dump-tree -t chunk`: an item, its ` length N owner … type DATA|single`, its stripes. */
function dataChunksOf(image: string): DiskRange[] {
  const command = ['inspect-internal', 'dump-tree', '-t', 'chunk', image];
  const told = execFileSync('btrfs', command, { encoding: 'utf8' });
  return told
    .split(/\n\titem /)
    .filter((item) => item.includes('CHUNK_ITEM') && /type DATA\b/.test(item))
    .flatMap((item) => {
      const length = Number(/\blength (\d+)/.exec(item)?.[1]);
      const stripes = [...item.matchAll(/stripe \d+ devid \d+ offset (\d+)/g)];
      return stripes.map((stripe) => ({
        offset: Number(stripe[1]),
        length: Math.min(length, CHUNK_BYTES_MAX),
      }));
    });
}
