#!/usr/bin/env node
/** The `holdfast` program: this process, the command table, the exit code. */

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { commandTable } from './command-table.ts';
import { exitCodes } from './exit-codes.ts';
import { processContext } from './process-context.ts';
import { reportError, runCli } from './run-cli.ts';

/** The version of the package this file belongs to, whether it runs from `dist` or from `build`. */
function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === 'holdfast' && version !== undefined) return version;
    } catch {
      // No package.json at this level: it is one further up.
    }
  }
  return 'unknown';
}

/** Runs the command that this process was started for. */
async function main(): Promise<void> {
  // Should the event loop run empty under a command that never finished, that must not look like a pass.
  process.exitCode = exitCodes.failed;
  const context = processContext();
  process.on('uncaughtException', (error) => {
    reportError('holdfast', error, context);
    void context.end(exitCodes.failed);
  });
  const words = process.argv.slice(2);
  await context.end(await runCli(words, context, commandTable, packageVersion()));
}

void main();
