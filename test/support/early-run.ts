/**
 * Runs something before the first test of a file. From then on Node's runner looks at every promise that is made,
 * which costs a loop that makes a million of them more than the loop itself.
 */

/** Call it where no test was defined yet. What `run` throws is thrown by the function that this resolves to. */
export async function earlyRun<T>(run: () => Promise<T>): Promise<() => T> {
  try {
    const result = await run();
    return () => result;
  } catch (error) {
    // It belongs to the test that asks for the result.
    return () => {
      throw error;
    };
  }
}
