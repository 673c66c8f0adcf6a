/**
 * Temporary directories for tests, removed with their content when the test ends, also when it
 * failed.
 */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of node:test's context that is needed: something that runs when the test is over. */
export interface TestScope {
  after(cleanUp: () => void): void;
}

/**
 * A new empty directory, as an absolute path without links; removed when the test of `scope` ends.
 */
export function temporaryDirectory(scope: TestScope): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-test-')));
  scope.after(() => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  });
  return path;
}
