/**
 * The question in reverse: which syncs protect nothing in this trace. Each sync is taken out, or weakened from
 * fsync to fdatasync, and the trace is explored again; a model under which nothing fails then does not need it
 * here. Another run, another workload or another checker may need it: the answer is about this trace only.
 */

import type { ExploreOptions } from '../explore/explore-options.ts';
import { exploreModel } from '../explore/explorer.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Operation, Trace } from '../record/operation.ts';
import type { ToldOperation } from './finding.ts';
import { tellOperation } from './tell-operation.ts';

/** A sync that could go, or could be fdatasync, as far as these models and this trace can tell. */
export interface RedundantSync {
  readonly sync: ToldOperation;
  readonly could: 'go' | 'be fdatasync';
  readonly models: readonly string[];
}

/** REQUIRES: the trace as it is fails under none of the models, and every walk of it was complete. @returns null when interrupted */
export async function redundantSyncs(
  trace: Trace,
  models: readonly CrashModel[],
  options: ExploreOptions,
): Promise<RedundantSync[] | null> {
  const found: RedundantSync[] = [];
  for (const [index, operation] of trace.operations.entries()) {
    if (options.deadline?.interrupted === true) return null;
    if (operation.kind !== 'sync' || operation.error !== undefined) continue;
    const sync = tellOperation(trace, index);
    const without = replaceOperation(trace, index, null);
    const goes = await modelsThatHold(without, models, options);
    if (goes.length > 0) found.push({ sync, could: 'go', models: goes });
    if (operation.scope === 'data' || isDirectory(trace, operation.inode)) continue;
    const others = models.filter(({ name }) => !goes.includes(name));
    const weaker = replaceOperation(trace, index, { ...operation, scope: 'data' });
    const weakens = await modelsThatHold(weaker, others, options);
    if (weakens.length > 0) found.push({ sync, could: 'be fdatasync', models: weakens });
  }
  return found;
}

async function modelsThatHold(
  trace: Trace,
  models: readonly CrashModel[],
  options: ExploreOptions,
): Promise<string[]> {
  const holding: string[] = [];
  for (const model of models) {
    const { violationCount, complete } = await exploreModel(trace, model, options);
    if (violationCount === 0 && complete) holding.push(model.name);
  }
  return holding;
}

function replaceOperation(trace: Trace, index: number, by: Operation | null): Trace {
  const operations = [...trace.operations];
  operations.splice(index, 1, ...(by === null ? [] : [by]));
  return { ...trace, operations };
}

function isDirectory(trace: Trace, inode: number): boolean {
  if (trace.initial.some((node) => node.inode === inode && node.node === 'directory')) return true;
  return trace.operations.some(
    (operation) =>
      operation.kind === 'create' && operation.inode === inode && operation.node === 'directory',
  );
}
