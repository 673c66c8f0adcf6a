/**
 * Judges disks that a power cut could leave, one after the other, as a child process (`judge-process.mjs`) or, for a store
 * that takes a file system of ours, where the laboratory runs.
 */

import { KEYS, judge } from './steps.mjs';
import { STORES } from './stores.mjs';

/**
 * `place` is the directory of the store, `told` the number of steps of the round that had returned. Gives what is
 * `wrong`, as `judge` does or `refused`, and `why`.
 */
export async function judgeStore(name, { round, place, told, vfs }) {
  const values = {};
  try {
    const store = await STORES[name].open(place, { isRecovery: true, vfs });
    for (const key of KEYS) values[key] = await store.get(key);
    await store.close();
  } catch (error) {
    return { wrong: ['refused'], why: String(error.cause?.message ?? error.message) };
  }
  const wrong = judge(values, round, told);
  const shown = KEYS.map((key) => `${key}=${values[key] ?? '–'}`).join(' ');
  return { wrong, why: wrong.length === 0 ? '' : `shows ${shown} after ${told} steps` };
}
