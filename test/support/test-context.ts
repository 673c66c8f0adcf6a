/** A `CommandContext` that keeps what is written, for tests of commands without a process. */

import type { CleanupHook, CommandContext, TextOutput } from '../../src/cli/command.ts';

export interface TestContext extends CommandContext {
  /** All that was written to standard output so far. */
  readonly out: string;
  /** All that was written to standard error so far. */
  readonly err: string;
  /** The hooks that still stand. */
  readonly hooks: readonly CleanupHook[];
}

export interface TestContextOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

class CollectedText implements TextOutput {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(isTTY: boolean, columns: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

export function testContext(options: TestContextOptions = {}): TestContext {
  const { cwd = process.cwd(), env = {}, isTTY = false, columns = 80 } = options;
  const stdout = new CollectedText(isTTY, columns);
  const stderr = new CollectedText(isTTY, columns);
  const hooks: CleanupHook[] = [];
  return {
    stdout,
    stderr,
    env,
    cwd,
    hooks,
    onInterrupt(hook) {
      hooks.push(hook);
      return () => {
        hooks.splice(hooks.indexOf(hook), 1);
      };
    },
    get out() {
      return stdout.text;
    },
    get err() {
      return stderr.text;
    },
  };
}
