/** Assertions: always on, cheap, and never caught. Costly checks go through `verify`. */

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
