/**
 * A loop device on which one crash state after the other is mounted, so that the kernel's own recovery runs, and
 * read. Between two states only blocks that differ are written: after each unmount every part of the image file
 * that holds data is compared with the next state, which undoes whatever recovery wrote, known or not.
 *
 * The device's buffers cannot be stale: nobody holds the device open between two mounts, and the kernel drops
 * its buffers at the last close.
 */

import { closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import { importDirectory } from '../replay/import-directory.ts';
import { BLOCK_SIZE, type DiskImage } from './disk-image.ts';
import { type DiskProfile, mountArguments } from './disk-profile.ts';
import { checkImage, repairImage } from './disk-tools.ts';
import { type FileExtent, Keeper, KeeperError } from './keeper.ts';
import { PROGRAM_DIRECTORY } from './rig-layout.ts';

/** Bytes read at once when the image file is compared. */
const CHUNK_BYTES = 1 << 20;

/** What one crash state was after the kernel's recovery. */
export type MountedTree =
  | { readonly kind: 'tree'; readonly tree: FileTreeDirectory }
  /** The file system itself is damaged: it cannot be repaired, mounted or read. */
  | { readonly kind: 'damaged'; readonly message: string };

/** One device with its own keeper, so that several work at once. */
export class CrashDisk {
  readonly #profile: DiskProfile;
  readonly #mountOptions: string;
  readonly #keeper: Keeper;
  readonly #imagePath: string;
  readonly #mountPoint: string;
  readonly #device: string;
  readonly #fd: number;
  #open = true;
  /** Where the image file may hold anything but zeros. */
  #extents: readonly FileExtent[] = [];
  readonly #buffer: Buffer = Buffer.alloc(CHUNK_BYTES);

  private constructor(parts: {
    profile: DiskProfile;
    mountOptions: string;
    keeper: Keeper;
    directory: string;
    device: string;
  }) {
    this.#profile = parts.profile;
    this.#mountOptions = parts.mountOptions;
    this.#keeper = parts.keeper;
    this.#imagePath = join(parts.directory, 'crash.img');
    this.#mountPoint = join(parts.directory, 'disk');
    this.#device = parts.device;
    this.#fd = openSync(this.#imagePath, 'r+');
  }

  /** Makes a device in `directory`, which must not exist and is removed by `close`. */
  static async create(
    profile: DiskProfile,
    mountOptions: string,
    directory: string,
  ): Promise<CrashDisk> {
    mkdirSync(join(directory, 'disk'), { recursive: true });
    const image = join(directory, 'crash.img');
    writeFileSync(image, '');
    truncateSync(image, profile.sizeBytes);
    const keeper = await Keeper.start(directory);
    try {
      const device = await keeper.attachLoop(image);
      return new CrashDisk({ profile, mountOptions, keeper, directory, device });
    } catch (error) {
      // The keeper must not outlive a device that was never made.
      await keeper.close();
      throw error;
    }
  }

  /** Puts `image` on the device, lets the kernel recover it, and reads the program's directory. */
  async mountAndRead(image: DiskImage): Promise<MountedTree> {
    this.#show(image, this.#extents);
    const repaired = await repairImage(this.#profile, this.#imagePath);
    if (repaired !== null) {
      this.#extents = await this.#keeper.extents(this.#imagePath);
      return { kind: 'damaged', message: repaired };
    }
    const { flags, data } = mountArguments(
      this.#profile.mountOptions,
      this.#mountOptions,
      this.#profile.copyOptions,
      // Reading must not make the kernel write access times.
      'noatime',
    );
    try {
      await this.#keeper.mount({
        source: this.#device,
        target: this.#mountPoint,
        type: this.#profile.type,
        flags,
        data,
      });
    } catch (error) {
      // A refused mount is what this state is; a keeper that died is not.
      if (!(error instanceof KeeperError)) throw error;
      this.#extents = await this.#keeper.extents(this.#imagePath);
      return { kind: 'damaged', message: `cannot be mounted: ${error.code}` };
    }
    try {
      return this.#read();
    } finally {
      // Sent together: the keeper answers in order, and its answers are most of the waiting.
      const unmounted = this.#keeper.unmount(this.#mountPoint);
      const extents = this.#keeper.extents(this.#imagePath);
      await unmounted;
      this.#extents = await extents;
    }
  }

  /** Runs the file system's own check on the recovered image; null when it is clean, else what it said. */
  async check(): Promise<string | null> {
    return await checkImage(this.#profile, this.#imagePath);
  }

  /** Detaches the device and removes its files. Safe to call twice, as an interrupt does. */
  async close(): Promise<void> {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
    await this.#keeper.close();
  }

  #read(): MountedTree {
    const outside = this.#keeper.outside(this.#mountPoint);
    try {
      return { kind: 'tree', tree: importDirectory(join(outside, PROGRAM_DIRECTORY)).tree };
    } catch (error) {
      // On a mounted disk that nobody else uses, only damage keeps root from reading.
      if (!(error instanceof UsageError)) throw error;
      return { kind: 'damaged', message: error.message.replaceAll(`${outside}/`, '') };
    }
  }

  /** Makes the image file equal to `image`, of which only `extents` may hold anything but zeros. */
  #show(image: DiskImage, extents: readonly FileExtent[]): void {
    const looked = new Set<number>();
    for (const { offset, end } of extents) {
      for (let at = offset; at < end; at += CHUNK_BYTES) {
        const length = Math.min(CHUNK_BYTES, end - at);
        const got = readSync(this.#fd, this.#buffer, 0, length, at);
        assert(got === length, 'an image file never shrinks');
        for (let from = 0; from < length; from += BLOCK_SIZE) {
          const index = (at + from) / BLOCK_SIZE;
          looked.add(index);
          const wanted = image.block(index);
          if (wanted.compare(this.#buffer, from, from + BLOCK_SIZE) !== 0)
            this.#write(index, wanted);
        }
      }
    }
    for (const index of image.indexes()) {
      if (!looked.has(index)) this.#write(index, image.block(index));
    }
  }

  #write(index: number, block: Buffer): void {
    for (let done = 0; done < BLOCK_SIZE;) {
      done += writeSync(this.#fd, block, done, BLOCK_SIZE - done, index * BLOCK_SIZE + done);
    }
  }
}
