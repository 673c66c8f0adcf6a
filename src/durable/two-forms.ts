/**
 * One algorithm, two forms: a generator yields the calls that it needs, and a driver makes them on
 * the calling thread or on the thread pool. For sequences that are too long to be written twice;
 * not for hot paths.
 */

/** A call of the operating system, ready to be made in either form. */
export interface TwoFormCall {
  readonly now: () => unknown;
  readonly later: () => Promise<unknown>;
}

/** A sequence of calls. What a call returns or throws comes back at the `yield`. */
export type TwoFormSteps<T> = Generator<TwoFormCall, T, unknown>;

/** Makes one call: `const size = yield* call(() => file.statSync(), () => file.stat())`. */
export function* call<T>(
  now: () => T,
  later: () => Promise<T>,
): Generator<TwoFormCall, T, unknown> {
  return (yield { now, later }) as T;
}

/** Runs the steps on the calling thread. */
export function runNow<T>(steps: TwoFormSteps<T>): T {
  let step = steps.next();
  while (step.done !== true) {
    let result: unknown;
    try {
      result = step.value.now();
    } catch (error) {
      // The steps decide what a failure means.
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}

/** Runs the steps on the thread pool. */
export async function runLater<T>(steps: TwoFormSteps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    let result: unknown;
    try {
      result = await step.value.later();
    } catch (error) {
      // As in `runNow`.
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}
