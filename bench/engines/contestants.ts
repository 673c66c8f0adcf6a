/**
 * Who is measured: Holdfast's engines, and the rivals of `bench/compare` where that is installed
 * (`npm ci --prefix bench/compare`): they are a package of their own.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { HOLDFAST_STORES } from './holdfast-stores.ts';
import type { StoreContestant } from './store-contestant.ts';

/** From `build/bench/engines`. */
const COMPARE = fileURLToPath(new URL('../../../bench/compare/', import.meta.url));

/** Every contestant that is installed. */
export async function allContestants(): Promise<readonly StoreContestant[]> {
  return [...HOLDFAST_STORES, ...(await rivals())];
}

export async function contestantNamed(name: string): Promise<StoreContestant> {
  const found = (await allContestants()).find((contestant) => contestant.name === name);
  if (found === undefined) throw new Error(`no such contestant: ${name}`);
  return found;
}

async function rivals(): Promise<readonly StoreContestant[]> {
  if (!existsSync(`${COMPARE}node_modules`)) return [];
  const module = (await import(pathToFileURL(`${COMPARE}rivals.mjs`).href)) as {
    rivals: () => Promise<readonly StoreContestant[]>;
  };
  return module.rivals();
}
