/**
 * What a failed system call says about the change it should have made, and how the caller is told.
 * Not here: which step of a pattern failed; the patterns know that.
 */

import { FileChangeError } from '../base/errors.ts';
import type { Outcome } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';

/**
 * A call that changes names and fails with one of these was refused before it changed anything
 * (rename(2), unlink(2), mkdir(2)). Not among them: EIO, which may come in the middle; ENOENT of a
 * rename, which a network server answers when it is asked again for what it has already done;
 * errors of the network itself.
 */
const REFUSED: ReadonlySet<string | undefined> = new Set(
  (
    'EACCES EBUSY EDQUOT EEXIST EINVAL EISDIR ELOOP EMFILE EMLINK ENAMETOOLONG ENFILE ENOMEM ' +
    'ENOSPC ENOTDIR ENOTEMPTY EPERM EROFS EXDEV'
  ).split(' '),
);

/** True when the error says that the call has changed nothing. */
export function wasRefused(error: unknown): boolean {
  return REFUSED.has(errorCode(error));
}

/**
 * A system error as a `FileChangeError`; one that already is, wrong arguments and broken invariants
 * as they are. `what` is a verb: 'replacing', 'removing'.
 */
export function explainFailure(
  error: unknown,
  what: string,
  path: string,
  outcome: Outcome,
): unknown {
  if (error instanceof FileChangeError || !isSystemError(error)) return error;
  return new FileChangeError(what, path, outcome, error);
}

/** Node's own complaints have codes too, beginning with ERR_. */
function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && /^E(?!RR_)/.test(errorCode(error) ?? '');
}
