/** System calls that move bytes between two descriptors, so that no line shows the bytes. */

import type { StraceArgument } from './strace-arguments.ts';
import { numberOf } from './strace-calls.ts';

export interface Copy {
  readonly from: number;
  readonly to: number;
  /** What source and target have open, as strace tells it. */
  readonly fromOpened: string;
  readonly toOpened: string;
  /** null: at the source's own offset, which moves. */
  readonly fromPosition: number | null;
  /** null: at the target's own offset. */
  readonly position: number | null;
  /** A clone: the result is no count. */
  readonly whole: boolean;
  /** How much a clone moves; null: all from `fromPosition` on. */
  readonly length: number | null;
  /** The target as strace prints it. */
  readonly target: StraceArgument;
}

function offsetOf(argument: StraceArgument | undefined): number | null {
  const [value] = argument?.list ?? [];
  return value === undefined ? null : numberOf(value);
}

function copy(
  from: StraceArgument | undefined,
  fromOffset: StraceArgument | undefined,
  to: StraceArgument | undefined,
  toOffset: StraceArgument | undefined,
): Copy {
  return {
    from: numberOf(from),
    to: numberOf(to),
    fromOpened: from?.opened ?? '',
    toOpened: to?.opened ?? '',
    fromPosition: offsetOf(fromOffset),
    position: offsetOf(toOffset),
    whole: false,
    length: null,
    target: to ?? { text: '' },
  };
}

/** The copy that a call is, or null for another call. */
export function copyOf(name: string, args: readonly StraceArgument[]): Copy | null {
  const [first, second, third, fourth] = args;
  switch (name) {
    case 'sendfile':
    case 'sendfile64':
      return copy(second, third, first, undefined);
    case 'copy_file_range':
    case 'splice':
      return copy(first, second, third, fourth);
    case 'ioctl':
      return cloneOf(first, second, third);
    default:
      return null;
  }
}

function cloneOf(
  to: StraceArgument | undefined,
  request: StraceArgument | undefined,
  source: StraceArgument | undefined,
): Copy | null {
  const text = request?.text ?? '';
  if (/FICLONERANGE|BTRFS_IOC_CLONE_RANGE/.test(text)) {
    const field = (name: string): StraceArgument | undefined => source?.fields?.get(name);
    const length = numberOf(field('src_length'));
    return {
      ...copy(field('src_fd'), undefined, to, undefined),
      fromPosition: numberOf(field('src_offset')),
      position: numberOf(field('dest_offset')),
      whole: true,
      length: length === 0 ? null : length,
    };
  }
  if (!/FICLONE|BTRFS_IOC_CLONE/.test(text)) return null;
  return { ...copy(source, undefined, to, undefined), fromPosition: 0, position: 0, whole: true };
}
