/** Errors in the words of `abstract-level`, for what its base class does not check itself. */

/** An error with a code of `abstract-level`'s. */
export class LevelError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  override get name(): string {
    return this.code === 'LEVEL_ABORTED' ? 'AbortError' : 'LevelError';
  }
}

/** A call that can neither be done nor deferred, as the store is not open. */
export function notOpen(method: string): LevelError {
  return new LevelError('LEVEL_DATABASE_NOT_OPEN', `Database is not open: cannot call ${method}()`);
}

/** A read was ended by its signal. */
export function aborted(): LevelError {
  return new LevelError('LEVEL_ABORTED', 'The operation was aborted');
}
