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
  /** All of the source becomes the target (a clone): the result is no count. */
  readonly whole: boolean;
}

export const COPY_CALLS: ReadonlySet<string> = new Set([
  'sendfile',
  'sendfile64',
  'copy_file_range',
  'splice',
  'ioctl',
]);

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
      if (second?.text.includes('FICLONE') !== true) return null;
      return { ...copy(third, undefined, first, undefined), fromPosition: 0, whole: true };
    default:
      return null;
  }
}
