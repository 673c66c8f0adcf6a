/**
 * The mounts of a Linux process, from the text of `/proc/self/mountinfo`, and the one mount that a path is on.
 * Only text and paths: nothing here reads a file.
 *
 * @see proc_pid_mountinfo(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
 */

/** One line of mountinfo. */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  /** `MAJOR:MINOR` of the file system; major 0 where it has no block device of its own (tmpfs, btrfs). */
  readonly device: string;
  /** The directory of the file system that is visible at the mount point; not `/` for a bind mount. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of this mount (`ro`, `relatime`). */
  readonly options: readonly string[];
  /** `ext4`, `fuse.sshfs`, `overlay`, … */
  readonly fileSystem: string;
  /** `/dev/sda1`, `server:/export`, or a word that means nothing (`tmpfs`). */
  readonly source: string;
  /** Options of the file system, shared by all its mounts (`data=journal`). */
  readonly superOptions: readonly string[];
}

/** Reads every line; a line that is not in the documented form is left out, since newer kernels may add some. */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const mount = parseLine(line);
    return mount === null ? [] : [mount];
  });
}

function parseLine(line: string): Mount | null {
  // The number of fields before the lone dash varies (shared:N, master:N), so both halves are split apart.
  const dash = line.indexOf(' - ');
  if (dash === -1) return null;
  const [id, parentId, device, root, mountPoint, options] = line.slice(0, dash).split(' ');
  const [fileSystem, source, superOptions = ''] = line.slice(dash + 3).split(' ');
  if (id === undefined || parentId === undefined || device === undefined) return null;
  if (root === undefined || mountPoint === undefined || options === undefined) return null;
  if (fileSystem === undefined || source === undefined) return null;
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapeField(root),
    mountPoint: unescapeField(mountPoint),
    options: options.split(',').map(unescapeField),
    fileSystem: unescapeField(fileSystem),
    source: unescapeField(source),
    // A comma inside a value (a path of overlay) is written as \054, so splitting comes first.
    superOptions: superOptions === '' ? [] : superOptions.split(',').map(unescapeField),
  };
}

/** Undoes the kernel's octal escapes: space is `\040`, tab `\011`, newline `\012`, backslash `\134`. */
export function unescapeField(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The value of `name=value` among options, or null. */
export function optionValue(options: readonly string[], name: string): string | null {
  const found = options.find((option) => option.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1);
}

/**
 * The mount that `path` (absolute, without links) is on, found as the kernel finds it: from the root mount down,
 * stepping onto whatever is mounted on each part of the path. The longest matching mount point would
 * be wrong where a later mount hides it. Null when the table does not reach down to the path (a chroot).
 */
export function mountOfPath(mounts: readonly Mount[], path: string): Mount | null {
  const ids = new Set(mounts.map((mount) => mount.id));
  const base = mounts.find(
    (mount) =>
      mount.mountPoint === '/' && (mount.parentId === mount.id || !ids.has(mount.parentId)),
  );
  if (base === undefined) return null;
  let current = topOf(mounts, base, '/');
  let prefix = '';
  for (const part of path.split('/')) {
    if (part === '') continue;
    prefix += `/${part}`;
    current = topOf(mounts, current, prefix);
  }
  return current;
}

/** Follows the mounts stacked at `point`: each is a child of the one below it, and has no sibling there. */
function topOf(mounts: readonly Mount[], from: Mount, point: string): Mount {
  let current = from;
  for (;;) {
    const { id } = current;
    const next = mounts.find(
      (mount) => mount.parentId === id && mount.id !== id && mount.mountPoint === point,
    );
    if (next === undefined) return current;
    current = next;
  }
}
