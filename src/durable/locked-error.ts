/** The error of a directory that has an owner. Not here: who has it. */

import { HoldfastError } from '../base/errors.ts';
import { describeLockOwner } from './lock-owner.ts';
import type { LockOwner } from './lock-owner.ts';

/** Thrown when another owner holds the directory, or may hold it. */
export class LockedError extends HoldfastError {
  /** The lock file. Who knows that its owner is gone may remove it. */
  readonly path: string;
  readonly owner: LockOwner;
  /** Whether the owner is known to live; false when that cannot be told from here. */
  readonly alive: boolean;

  /** `isOurs`: the owner is this very process. */
  constructor(path: string, owner: LockOwner, alive: boolean, isOurs = false) {
    const who = describeLockOwner(owner);
    const what = isOurs
      ? 'which is this process: close it before you open it again'
      : 'close it there, or end that process';
    const doubt =
      'in another container or on another host; whether it lives cannot be told from here';
    super(
      'HOLDFAST_LOCKED',
      alive
        ? `${path}: the directory is in use by ${who}${isOurs ? ', ' : '; '}${what}`
        : `${path}: the directory is locked by ${who}, ${doubt}. ` +
            'If you are sure that it is gone, remove that file, or open with the lock override',
    );
    this.path = path;
    this.owner = owner;
    this.alive = alive;
  }
}
