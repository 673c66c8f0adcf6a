/** Assertions: always on, cheap, and never caught. Not here: errors that a user may meet. */

/** An invariant of Holdfast does not hold: a bug of Holdfast's, or of code that misuses it. */
export class AssertionError extends Error {
  override get name(): string {
    return 'AssertionError';
  }
}

/** Throws when an invariant of Holdfast itself does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a place that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
