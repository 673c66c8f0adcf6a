/**
 * Programs as text, recorded in a directory of their own: for tests of the recorders. Nothing here knows what a
 * program should ask for.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Operation, Trace } from '../../src/lab/record/operation.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { temporaryDirectory, type TestScope } from './temporary-directory.ts';

export interface RecordedProgram {
  readonly trace: Trace;
  /** The directory that was recorded, absolute. */
  readonly root: string;
}

export interface ProgramOptions {
  readonly via?: 'node' | 'strace';
  /** The root at the start: path to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** The name of the program's file; default `program.mjs`. */
  readonly name?: string;
}

/** Records a Node program. It runs beside its root, which is called `root`. */
export async function recordSource(
  scope: TestScope,
  source: string,
  options: ProgramOptions = {},
): Promise<RecordedProgram> {
  const { directory, root } = place(scope, options.files ?? {});
  const name = options.name ?? 'program.mjs';
  writeFileSync(join(directory, name), source);
  const command = [process.execPath, name];
  return { trace: await record(directory, root, command, options.via ?? 'node'), root };
}

/** Records any program with strace. */
export async function recordCommand(
  scope: TestScope,
  command: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<RecordedProgram> {
  const { directory, root } = place(scope, files);
  return { trace: await record(directory, root, command, 'strace'), root };
}

function place(
  scope: TestScope,
  files: Readonly<Record<string, string>>,
): { directory: string; root: string } {
  const directory = temporaryDirectory(scope);
  const root = join(directory, 'root');
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return { directory, root };
}

function record(
  directory: string,
  root: string,
  command: readonly string[],
  via: 'node' | 'strace',
): Promise<Trace> {
  return recordProgram({ root, command, via, cwd: directory, output: 'ignore' });
}

/** An operation as one line, without its time, its stack and numbers of inodes. A write to the end is an append. */
export function tell(operation: Operation, trace: Trace): string {
  const failed = operation.error === undefined ? '' : ` ${operation.error}`;
  const isAppend = operation.kind === 'write' && operation.append === true;
  const kind = isAppend ? 'append' : operation.kind;
  const text = `${kind} ${operation.path}${details(operation, trace)}${failed}`;
  return text.replace('  ', ' ').trim();
}

function details(operation: Operation, trace: Trace): string {
  switch (operation.kind) {
    case 'create':
      return ` ${operation.node} ${operation.mode.toString(8)} ${operation.target ?? ''}`.trimEnd();
    case 'rename':
      return ` from ${operation.fromName}${operation.replaced === null ? '' : ' replacing'}`;
    case 'write': {
      const bytes = trace.contents.get(operation.content) ?? new Uint8Array(0);
      const text = Buffer.from(bytes).toString('latin1').slice(0, 40);
      const durable = operation.durable === 'none' ? '' : ` ${operation.durable}`;
      const asked = operation.asked === undefined ? '' : ` of ${operation.asked}`;
      return ` ${operation.offset}+${operation.length} ${JSON.stringify(text)}${durable}${asked}`;
    }
    case 'truncate':
      return ` ${operation.size}`;
    case 'allocate':
      return ` ${operation.mode} ${operation.offset}+${operation.length}`;
    case 'attribute':
      return ` ${operation.field} ${operation.value}`;
    case 'sync':
      return ` ${operation.scope}`;
    case 'mark':
      return ` ${operation.source} ${JSON.stringify(operation.text)}`;
    case 'unmodelled':
      return ` ${operation.what}`;
    default:
      return '';
  }
}

/** All operations as lines. */
export function tellAll(trace: Trace): string[] {
  return trace.operations.map((operation) => tell(operation, trace));
}

/** Why programs cannot be recorded with strace here, or false. */
export function straceMissing(): string | false {
  if (process.platform !== 'linux') return 'strace is for Linux';
  try {
    execFileSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    // Not installed, or tracing is forbidden in this container.
    return 'needs strace (apt-get install strace) and the right to trace';
  }
}

/** Why a program cannot be used here, or false. */
export function programMissing(...names: readonly string[]): string | false {
  const reason = straceMissing();
  if (reason !== false) return reason;
  for (const name of names) {
    try {
      execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    } catch {
      // The shell does not find it.
      return `needs ${name}`;
    }
  }
  return false;
}
