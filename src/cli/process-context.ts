/**
 * The real process as a `CommandContext`: its streams, its signals, its end. Nothing here knows of commands.
 */

import { constants } from 'node:os';
import process from 'node:process';
import { isatty } from 'node:tty';
import type { CleanupHook, CommandContext, TextOutput } from './command.ts';
import { signalExitCode } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A context on this process, and the way to end it. */
export interface ProcessContext extends CommandContext {
  /** Runs the hooks that still stand, lets both streams drain, and ends the process. Never returns. */
  end(exitCode: number): Promise<never>;
}

/**
 * Takes over the signals and the two output streams of this process. A first SIGINT, SIGTERM or SIGHUP runs the
 * hooks and exits as a shell would report it (130 for SIGINT); a second one exits at once. A reader that closed
 * standard output (`holdfast … | head`) ends the command the same way, without a message.
 */
export function processContext(): ProcessContext {
  const hooks: CleanupHook[] = [];
  let ending = false;

  const interrupt = (signalNumber: number): void => {
    if (ending) process.exit(signalExitCode(signalNumber));
    ending = true;
    void runHooks(hooks).finally(() => process.exit(signalExitCode(signalNumber)));
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => interrupt(constants.signals[signal]));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (!ending) interrupt(constants.signals.SIGPIPE);
    });
  }

  return {
    stdout: textOutput(process.stdout, 1),
    stderr: textOutput(process.stderr, 2),
    env: process.env,
    cwd: process.cwd(),
    onInterrupt(hook) {
      hooks.push(hook);
      return () => {
        const place = hooks.indexOf(hook);
        if (place !== -1) hooks.splice(place, 1);
      };
    },
    async end(exitCode) {
      await runHooks(hooks);
      await Promise.all([drained(process.stdout), drained(process.stderr)]);
      return process.exit(exitCode);
    },
  };
}

async function runHooks(hooks: CleanupHook[]): Promise<void> {
  for (let hook = hooks.pop(); hook !== undefined; hook = hooks.pop()) {
    try {
      await hook();
    } catch (error) {
      // The next hook must run all the same: it may be the one that unmounts.
      process.stderr.write(`holdfast: while cleaning up: ${String(error)}\n`);
    }
  }
}

function textOutput(stream: NodeJS.WriteStream, fd: number): TextOutput {
  return {
    isTTY: isatty(fd),
    get columns() {
      return stream.columns;
    },
    write(text) {
      stream.write(text);
    },
  };
}

/** Resolves when what was written has left the process: a pipe is written in the background. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
