/** What a figure means nothing without: the machine, its system, the runtime, the day. */

import { readFileSync, realpathSync } from 'node:fs';
import { cpus, platform, release } from 'node:os';

/** One line about where and when a measurement was made in `directory`. */
export function describeMachine(directory: string): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const day = new Date().toISOString().slice(0, 10);
  const parts = [
    day,
    `Node ${process.version}`,
    `${processors.length} × ${model}`,
    `${platform()} ${release()}`,
    fileSystemOf(directory),
  ];
  return parts.join(', ');
}

/** The type of the file system that holds `directory`, as the kernel names it. */
function fileSystemOf(directory: string): string {
  const path = realpathSync(directory);
  let mounts: string;
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    // Not Linux.
    return 'unknown file system';
  }
  const found = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, point = '']) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`),
    )
    .toSorted((a, b) => (b[1] ?? '').length - (a[1] ?? '').length);
  return `${found[0]?.[2] ?? 'unknown file system'} (${found[0]?.[3] ?? ''})`;
}
