/** A machine made of injected text, for the doctor's tests: files, links, and the mount of each open directory. */

import type { SystemReader } from '../../../../src/durable/doctor/system-reader.ts';

/** What the machine consists of; every directory on the way to a file exists too. */
export interface FakeSystem {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** From a path to what it stands for. */
  readonly links?: Readonly<Record<string, string>>;
  readonly mountIds?: Readonly<Record<string, number>>;
}

/** Paths that are neither files nor links nor above one do not exist. */
export function fakeSystem({ files = {}, links = {}, mountIds = {} }: FakeSystem): SystemReader {
  const paths = [...Object.keys(files), ...Object.keys(links), ...Object.keys(mountIds)];
  const contentOf = (path: string): string | Uint8Array | null => files[path] ?? null;
  return {
    text(path) {
      const content = contentOf(path);
      return typeof content === 'string' ? content : null;
    },
    bytes(path, offset, length) {
      const content = contentOf(path);
      return content instanceof Uint8Array ? content.subarray(offset, offset + length) : null;
    },
    names(path) {
      const below = paths.filter((one) => one.startsWith(`${path}/`));
      const names = below.map((one) => one.slice(path.length + 1).split('/')[0] ?? '');
      return names.length === 0 ? null : [...new Set(names)];
    },
    realPath(path) {
      const link = links[path];
      if (link !== undefined) return link;
      return paths.some((one) => one === path || one.startsWith(`${path}/`)) ? path : null;
    },
    mountId: (directory) => mountIds[directory] ?? null,
  };
}

/** The files and links in `/sys` of one disk that is not a partition. */
export function fakeDisk(
  number: string,
  path: string,
  cache: 'write back' | 'write through',
  more: Readonly<Record<string, string>> = {},
): FakeSystem & { readonly files: Readonly<Record<string, string>> } {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return {
    files: {
      [`${path}/queue/write_cache`]: `${cache}\n`,
      [`${path}/queue/rotational`]: '0\n',
      ...Object.fromEntries(Object.entries(more).map(([key, text]) => [`${path}/${key}`, text])),
    },
    links: { [`/sys/dev/block/${number}`]: path, [`/sys/class/block/${name}`]: path },
  };
}

/** Several parts as one machine. */
export function joined(...parts: readonly FakeSystem[]): FakeSystem {
  return {
    files: Object.assign({}, ...parts.map((part) => part.files ?? {})) as Record<string, string>,
    links: Object.assign({}, ...parts.map((part) => part.links ?? {})) as Record<string, string>,
    mountIds: Object.assign({}, ...parts.map((part) => part.mountIds ?? {})) as Record<
      string,
      number
    >,
  };
}
