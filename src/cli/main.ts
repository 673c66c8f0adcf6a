#!/usr/bin/env node
/** The `holdfast` program: this process, the command table, the exit code. */

import process from 'node:process';
import { commandTable } from './command-table.ts';
import { exitCodes } from './exit-codes.ts';
import { packageVersion } from './package-version.ts';
import { processContext } from './process-context.ts';
import { reportError, runCli } from './run-cli.ts';

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
