/**
 * Shared mappings of files of the root in one address space. Bytes that a program changes through one reach the disk
 * without any call, so a writable one is named; what `msync` says of a mapping is a sync of its file.
 */

import type { OpenFile } from './descriptor-table.ts';
import type { StraceArgument } from './strace-arguments.ts';
import { flagsOf, numberOf } from './strace-calls.ts';

interface SharedMapping {
  readonly start: number;
  readonly end: number;
  readonly file: OpenFile;
  readonly fd: number;
  /** Where in the file it begins. */
  readonly offset: number;
}

export interface MappedFile {
  readonly file: OpenFile;
  /** The descriptor that it was mapped by; it may be closed since. */
  readonly fd: number;
}

export class SharedMappings {
  #mappings: SharedMapping[];

  constructor(mappings: readonly SharedMapping[] = []) {
    this.#mappings = [...mappings];
  }

  /** As fork copies an address space. */
  copy(): SharedMappings {
    return new SharedMappings(this.#mappings);
  }

  /** `mmap` that gave this address; the file, if it can be written through the mapping from now on. */
  mapped(
    args: readonly StraceArgument[],
    address: number,
    file: OpenFile | undefined,
  ): MappedFile | null {
    const [, length, protection, flags, fd, offset] = args;
    const start = address;
    const end = address + numberOf(length);
    // What was there before is gone.
    this.#mappings = this.#mappings.filter((other) => other.end <= start || other.start >= end);
    const names = flagsOf(flags);
    if (!names.has('MAP_SHARED') && !names.has('MAP_SHARED_VALIDATE')) return null;
    if (file?.node == null) return null;
    const number = numberOf(fd);
    this.#mappings.push({ start, end, file, fd: number, offset: numberOf(offset) });
    const writable = file.write && flagsOf(protection).has('PROT_WRITE');
    return writable ? { file, fd: number } : null;
  }

  /** `mprotect`: the files that can be written through their mapping from now on. */
  protected([address, length, protection]: readonly StraceArgument[]): MappedFile[] {
    if (!flagsOf(protection).has('PROT_WRITE')) return [];
    const range = { start: numberOf(address), end: numberOf(address) + numberOf(length) };
    return this.#mappings.filter(
      ({ start, end, file }) => file.write && start < range.end && range.start < end,
    );
  }

  /** `msync` with these arguments: the files of which it covers all that the file has, and those in part. */
  synced([address, length]: readonly StraceArgument[]): {
    readonly whole: readonly MappedFile[];
    readonly part: readonly MappedFile[];
  } {
    const range = { start: numberOf(address), end: numberOf(address) + numberOf(length) };
    const touched = this.#mappings.filter(
      ({ start, end }) => start < range.end && range.start < end,
    );
    const isWhole = ({ start, offset, file }: SharedMapping): boolean => {
      const size = file.node?.kind === 'file' ? file.node.size : Infinity;
      return offset === 0 && range.start <= start && range.end >= start + size;
    };
    return {
      whole: touched.filter((mapping) => isWhole(mapping)),
      part: touched.filter((mapping) => !isWhole(mapping)),
    };
  }
}
