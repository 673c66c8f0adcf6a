/**
 * Runs a workload, or a recovery, in memory and gives its trace: with a fault the trace has the failed call as the
 * program met it. What is recorded is the program's; frames of this folder are taken out of its stacks.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import type { Fault } from '../../vfs/fault.ts';
import type { InjectedFault } from '../../vfs/fault-vfs.ts';
import { FaultVfs } from '../../vfs/fault-vfs.ts';
import { MemoryVfs } from '../../vfs/memory-vfs.ts';
import type { Vfs } from '../../vfs/vfs.ts';
import { setMarkHook } from '../record/mark.ts';
import type { Trace } from '../record/operation.ts';
import { RecordingVfs } from '../record/recording-vfs.ts';
import { DeviceVfs } from './device-vfs.ts';

/** A fault, where it struck, and what became of the program. */
export interface FaultedRun {
  readonly injected: InjectedFault;
  readonly threw: boolean;
}

export interface RecordedRun {
  readonly trace: Trace;
  /** Null without a fault, or when the fault met no call. */
  readonly faulted: FaultedRun | null;
  /** What the program threw; null when it ended well. */
  readonly failure: { readonly error: unknown } | null;
}

export interface RecordedProgram {
  readonly run: (vfs: Vfs, mark: (text: string) => void) => unknown;
  readonly tree: FileTreeDirectory | undefined;
  readonly fault?: Fault;
}

type Mark = (text: string) => void;

/** Which recording a call of the free `mark` belongs to, when several run at a time. */
const recordings = new AsyncLocalStorage<Mark>();
let hooks = 0;
let unhook: (() => void) | null = null;

/** Never throws what the program throws. */
export async function recordRun(program: RecordedProgram): Promise<RecordedRun> {
  const { tree, fault, run } = program;
  const memory = tree === undefined ? new MemoryVfs() : MemoryVfs.fromTree(tree);
  const device = new DeviceVfs(memory);
  const faulty = fault === undefined ? null : new FaultVfs(device, fault);
  const recorder = new RecordingVfs(faulty ?? device, { root: '/', tree: memory.toTree() });
  const mark = (text: string): void => {
    if (typeof text !== 'string') throw new TypeError('mark takes a string');
    recorder.mark(text);
  };
  let failure: { error: unknown } | null = null;
  hookMarks();
  try {
    await recordings.run(mark, async () => await run(recorder, mark));
  } catch (error) {
    // The program's own errors are part of what it does: the caller judges them.
    failure = { error };
  } finally {
    unhookMarks();
  }
  const trace = withoutOwnFrames(recorder.finish());
  const injected = faulty?.injected[0];
  const faulted = injected === undefined ? null : { injected, threw: failure !== null };
  return { trace, faulted, failure };
}

/** @throws UsageError when the workload fails although nothing was made to fail. */
export function requireSuccess({ failure }: RecordedRun): void {
  if (failure === null) return;
  const { error } = failure;
  const why = error instanceof Error ? error.message : String(error);
  throw new UsageError(`the workload fails without any crash or fault: ${why}`, { cause: error });
}

function hookMarks(): void {
  hooks++;
  unhook ??= setMarkHook((text) => recordings.getStore()?.(text));
}

function unhookMarks(): void {
  hooks--;
  if (hooks > 0) return;
  unhook?.();
  unhook = null;
}

const OWN_DIRECTORY = dirname(fileURLToPath(import.meta.url));

function withoutOwnFrames(trace: Trace): Trace {
  const stacks = trace.stacks.map((frames) =>
    frames.filter(({ file }) => dirname(file) !== OWN_DIRECTORY),
  );
  return { ...trace, stacks };
}
