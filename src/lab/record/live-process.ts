/**
 * What can still be seen of a running program beside its calls: its files and what `/proc` tells of it. The program
 * runs on meanwhile, so everything here may be gone, and every function says what it gives then.
 */

import fs from 'node:fs';

/** Part of a file as it is now, or all of it; null when it is gone or too short. */
export function readBack(path: string, offset: number, length: number | null): Uint8Array | null {
  try {
    const fd = fs.openSync(path, 'r');
    try {
      const wanted = length ?? fs.fstatSync(fd).size;
      const data = new Uint8Array(wanted);
      return fs.readSync(fd, data, 0, wanted, offset) === wanted ? data : null;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Renamed or removed since: the caller says that its bytes are not known.
    return null;
  }
}

/** The parent of a process; null when it is gone. */
export function parentOf(pid: number): number | null {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    // Gone already; the caller has another way.
    return null;
  }
}

/** How a descriptor was opened and where it stands; its beginning when it is gone. */
export function descriptorInfo(pid: number, fd: number): { append: boolean; position: number } {
  try {
    const info = fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
    const position = Number(/^pos:\s*(\d+)/m.exec(info)?.[1] ?? 0);
    return { append: (flags & fs.constants.O_APPEND) !== 0, position };
  } catch {
    // Closed since: from its beginning is the best guess, and the final look tells when it was wrong.
    return { append: false, position: 0 };
  }
}

/** The file of the program that a process runs; null when the process is gone. */
export function executableOf(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It ended since; the caller has the path that was asked for.
    return null;
  }
}
