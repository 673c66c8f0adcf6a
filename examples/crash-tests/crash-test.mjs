// What the test files beside this one have in common: the same crash test under any runner.

import { oracles } from 'holdfast/lab';
import { add, list, recover } from './journal.mjs';

const AMOUNTS = ['10', '25', '3'];

export const crashTest = {
  // Runs once, in memory; every call on `vfs` is recorded with its line.
  workload: (vfs, { mark }) => {
    for (const amount of AMOUNTS) {
      add(vfs, amount);
      mark(amount); // promised: from here on every crash must keep it
    }
  },
  // Runs on every disk that a power cut could leave, and the power is cut inside it too.
  recover: (vfs) => recover(vfs),
  // Everything promised is there in order, and nothing but what was written next.
  check: oracles.prefix({ list, issued: AMOUNTS }),
  // And all of it again with a failed sync, a short write, a full disk at every call that can have one.
  faults: true,
};
