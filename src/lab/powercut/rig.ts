/**
 * The rig: a fresh file system on an image whose every block write, flush and FUA is logged, a program run on
 * it, and everything taken down again. The chain, from below: image and log file, `blklogwrites` filter of
 * qemu-storage-daemon, FUSE export, loop device, file system.
 *
 * The loop device must not use direct I/O: with several requests in flight at once the FUSE export of qemu 7.2
 * loses writes. Without it the device hands on one request after the other, so the log's order is the order of
 * completion, and a flush in the log covers exactly the writes before it.
 *
 * What crash states the log allows is decided in `epochs.ts`, not here.
 */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { assert } from '../../base/assert.ts';
import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import { importDirectory } from '../replay/import-directory.ts';
import { AckLog, type NotedMark } from './ack-log.ts';
import { BlockLogReader, countLiveEntries } from './block-log.ts';
import type { DiskImage } from './disk-image.ts';
import { type DiskProfile, mountArguments } from './disk-profile.ts';
import { repairImage } from './disk-tools.ts';
import { Keeper } from './keeper.ts';
import { MarkChannel } from './mark-channel.ts';
import { Perturber, type PerturbationPlan } from './perturbation.ts';
import { PROGRAM_DIRECTORY, UNRELATED_FILE } from './rig-layout.ts';
import { requireForRig } from './rig-needs.ts';
import { type ProgramResult, type RigUser, resolveUser, runInNamespace } from './rig-program.ts';
import { makeWorkDirectory, noteKeeper, sweepDeadOwners } from './work-directory.ts';

const SECTOR_SIZE = 512;
const DAEMON_START_MS = 10_000;
const run = promisify(execFile);

/** What disk to make, and for whom. */
export interface RigOptions {
  readonly profile: DiskProfile;
  /** More mount options, comma-separated. */
  readonly mountOptions?: string;
  /** What the disk holds, in place of a fresh file system; `setup` is not run then. */
  readonly image?: DiskImage;
  /** Shell command run on the fresh disk before anything is logged; all it does is durable. */
  readonly setup?: string;
  /** Name or number of the user that set-up and program run as. */
  readonly user?: string;
  /** Working directory to resolve a relative program path against. */
  readonly cwd?: string;
}

/** One logged run. The files stay until the rig closes or `discard` is called. */
export interface LoggedRun {
  readonly logPath: string;
  readonly marks: readonly NotedMark[];
  /** What the perturber did, in order. */
  readonly perturbed: readonly string[];
  /** The program's directory as the program left it, undamaged. */
  readonly lastTree: FileTreeDirectory;
  /** Entries in the log when the program had started and when it had ended. */
  readonly startPosition: number;
  readonly endPosition: number;
  discard(): void;
}

/** One fresh disk and the means to run programs on copies of it. Close it, whatever happened. */
export class Rig {
  readonly profile: DiskProfile;
  readonly keeper: Keeper;
  readonly workDirectory: string;
  /** The formatted image, set up, cleanly unmounted: what the disk held before the program. */
  readonly baseImage: string;
  /** The program's directory on the base image; empty when the image was given. */
  baseTree: FileTreeDirectory = { kind: 'directory', mode: 0o755, entries: new Map() };
  readonly #options: RigOptions;
  readonly #user: RigUser | null;
  #runCount = 0;

  private constructor(options: RigOptions, keeper: Keeper, workDirectory: string) {
    this.profile = options.profile;
    this.keeper = keeper;
    this.workDirectory = workDirectory;
    this.baseImage = join(workDirectory, 'base.img');
    this.#options = options;
    this.#user = options.user === undefined ? null : resolveUser(options.user);
  }

  /**
   * Formats and sets up a disk. Sweeps what dead rigs left first.
   *
   * @throws {UsageError} when a piece is missing, formatting fails or the set-up command fails.
   */
  static async create(options: RigOptions): Promise<Rig> {
    requireForRig(options.profile);
    const workDirectory = makeWorkDirectory();
    let keeper: Keeper;
    try {
      keeper = await Keeper.start(workDirectory);
    } catch (error) {
      // Without a keeper nobody else removes the directory.
      rmSync(workDirectory, { recursive: true, force: true });
      throw error;
    }
    try {
      noteKeeper(workDirectory, keeper.pid);
      await sweepDeadOwners(keeper);
      const rig = new Rig(options, keeper, workDirectory);
      if (options.image === undefined) {
        await rig.#format();
        await rig.#setUp();
      } else {
        await rig.#adopt(options.image);
      }
      return rig;
    } catch (error) {
      // Nothing half made may stay; the error itself goes on to the caller.
      await keeper.close();
      throw error;
    }
  }

  /**
   * Runs `program` on a fresh copy of the disk, perturbed as `plan` says, and unmounts it.
   *
   * @throws {UsageError} when the program cannot be started, fails, or does not end in time.
   */
  async run(program: readonly string[], plan: PerturbationPlan): Promise<LoggedRun> {
    this.#runCount += 1;
    const directory = join(this.workDirectory, `run-${this.#runCount}`);
    mkdirSync(directory);
    chmodSync(directory, 0o711);
    const path = (name: string): string => join(directory, name);
    await run('cp', ['--sparse=always', this.baseImage, path('disk.img')]);
    const { device, daemon } = await this.#attachLogged(directory);
    const mountPoint = path('disk');
    await this.#mount(device, mountPoint);
    const reader = BlockLogReader.open(path('log'), { liveSectorSize: SECTOR_SIZE });
    const acks = new AckLog(() => countLiveEntries(reader));
    const perturber = new Perturber({
      keeper: this.keeper,
      profile: this.profile,
      mountPoint,
      device,
      plan,
    });
    const channel = new MarkChannel(path('marks'), async (text) => {
      acks.mark(text);
      await perturber.at('mark');
    });
    try {
      const startPosition = countLiveEntries(reader);
      perturber.start();
      const result = await this.#runProgram(program, mountPoint, channel.directory, (bytes) => {
        if (acks.standardOutput(bytes)) void perturber.at('line');
      });
      acks.exit(result.exitCode);
      await this.keeper.endPrograms();
      requireSuccess(program, result);
      const lastTree = this.#readTree(mountPoint);
      await perturber.finish();
      const endPosition = countLiveEntries(reader);
      await this.#detachLogged(device, daemon, mountPoint);
      return {
        logPath: path('log'),
        marks: acks.marks,
        perturbed: perturber.done,
        lastTree,
        startPosition,
        endPosition,
        discard: () => rmSync(directory, { recursive: true, force: true }),
      };
    } finally {
      channel.close();
      reader.close();
    }
  }

  /** Takes everything down; nothing is left mounted, attached, running or on disk. Safe to call twice. */
  async close(): Promise<void> {
    await this.keeper.close();
  }

  async #format(): Promise<void> {
    const { profile, baseImage } = this;
    const raw = join(this.workDirectory, 'raw.img');
    writeFileSync(raw, '');
    truncateSync(raw, profile.sizeBytes);
    const [command = '', ...words] = profile.format;
    try {
      await run(command, [...words, raw]);
    } catch (error) {
      // execFile's error holds what the command printed: the only thing that helps the user.
      throw new UsageError(`${command} failed: ${String(error)}`, { cause: error });
    }
    // Formatting zeroes its journal; holes instead make every later comparison of the image cheaper.
    await run('cp', ['--sparse=always', raw, baseImage]);
    rmSync(raw);
  }

  /**
   * Makes the base image of one that is at hand, such as what a power cut left. Nothing mounts it: its first mount, and
   * so the kernel's recovery of it, is that of a logged run. Where a system repairs before it mounts, so does this.
   */
  async #adopt(image: DiskImage): Promise<void> {
    const { profile, baseImage } = this;
    writeFileSync(baseImage, '');
    truncateSync(baseImage, profile.sizeBytes);
    image.writeTo(baseImage);
    const message = await repairImage(profile, baseImage);
    if (message !== null) throw new UsageError(message);
  }

  /** On the plain image: nothing of it needs to be in a log. */
  async #setUp(): Promise<void> {
    const mountPoint = join(this.workDirectory, 'disk');
    const device = await this.keeper.attachLoop(this.baseImage);
    await this.#mount(device, mountPoint);
    const outside = this.keeper.outside(mountPoint);
    const root = join(outside, PROGRAM_DIRECTORY);
    mkdirSync(root);
    if (this.#user !== null) chownSync(root, this.#user.uid, this.#user.gid);
    writeFileSync(join(outside, UNRELATED_FILE), '0');
    if (this.#options.setup !== undefined) {
      const result = await this.#runProgram(
        ['/bin/sh', '-c', this.#options.setup],
        mountPoint,
        null,
        () => undefined,
      );
      await this.keeper.endPrograms();
      requireSuccess([this.#options.setup], result);
    }
    this.baseTree = this.#readTree(mountPoint);
    await this.keeper.syncFileSystem(mountPoint);
    await this.keeper.unmount(mountPoint);
    await this.keeper.detachLoop(device);
  }

  #readTree(mountPoint: string): FileTreeDirectory {
    return importDirectory(join(this.keeper.outside(mountPoint), PROGRAM_DIRECTORY)).tree;
  }

  async #mount(source: string, target: string): Promise<void> {
    const { profile } = this;
    mkdirSync(target, { recursive: true });
    const options = mountArguments(profile.mountOptions, this.#options.mountOptions ?? '');
    try {
      await this.keeper.mount({ source, target, type: profile.type, ...options });
    } catch (error) {
      // A fresh file system mounts unless its options are wrong.
      throw new UsageError(
        `${profile.name} cannot be mounted with options '${options.data}': ${String(error)}`,
        { cause: error },
      );
    }
  }

  async #runProgram(
    program: readonly string[],
    mountPoint: string,
    markDirectory: string | null,
    onOutput: (bytes: Uint8Array) => void,
  ): Promise<ProgramResult> {
    const namespacePid = await this.keeper.startProgramNamespace();
    return await runInNamespace({
      keeperPid: this.keeper.pid,
      namespacePid,
      root: join(mountPoint, PROGRAM_DIRECTORY),
      cwd: this.#options.cwd ?? '/',
      program,
      user: this.#user,
      markDirectory,
      onOutput,
    });
  }

  /** Starts the logging daemon over `disk.img` and attaches its export. */
  async #attachLogged(directory: string): Promise<{ device: string; daemon: number }> {
    const path = (name: string): string => join(directory, name);
    // A comma in a path would end the option; qemu takes a doubled one for itself.
    const option = (name: string): string => path(name).replaceAll(',', ',,');
    for (const name of ['log', 'export']) writeFileSync(path(name), '');
    const daemon = await this.keeper.startServer(path('daemon-errors'), [
      'qemu-storage-daemon',
      '--blockdev',
      `driver=file,node-name=disk,filename=${option('disk.img')}`,
      '--blockdev',
      `driver=file,node-name=log,filename=${option('log')}`,
      '--blockdev',
      `driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=${SECTOR_SIZE}`,
      '--export',
      `type=fuse,id=export,node-name=logged,mountpoint=${option('export')},writable=on`,
      '--pidfile',
      path('daemon.pid'),
    ]);
    const deadline = performance.now() + DAEMON_START_MS;
    while (!existsSync(path('daemon.pid'))) {
      const alive = await this.keeper.isServerAlive(daemon);
      if (!alive || performance.now() > deadline) {
        const said = readFileSync(path('daemon-errors'), 'utf8').trim();
        throw new UsageError(`qemu-storage-daemon did not start: ${said}`);
      }
      await sleep(2);
    }
    const device = await this.keeper.attachLoop(this.keeper.ofServer(daemon, path('export')));
    return { device, daemon };
  }

  async #detachLogged(device: string, daemon: number, mountPoint: string): Promise<void> {
    await this.keeper.unmount(mountPoint);
    await this.keeper.detachLoop(device);
    await this.keeper.stopServer(daemon);
    assert(mountPoint.startsWith(this.workDirectory), 'a rig mounts in its own directory');
  }
}

function requireSuccess(program: readonly string[], result: ProgramResult): void {
  if (result.exitCode === 0) return;
  const last = result.errors.trim().split('\n').at(-1) ?? '';
  throw new UsageError(
    `the program ${program.join(' ')} ${result.how}${last === '' ? '' : `: ${last}`}`,
  );
}
