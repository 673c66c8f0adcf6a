/** The result of a power-cut examination as plain data; the JSON form is exactly this. */

import type { Sighting } from './obligations.ts';

/** One way in which crash states failed the checker. */
export interface PowercutFinding {
  /** The checker's message. */
  readonly message: string;
  /** Different trees that failed with it. */
  readonly trees: number;
  /** The crash that lost least among them. */
  readonly example: Sighting;
  /** How many acknowledgements stood there. */
  readonly marks: number;
  /** Names and sizes in the example's tree. */
  readonly tree: readonly string[];
}

/** Crash states in which the file system itself was damaged: no program could have done better. */
export interface DamageFinding {
  readonly message: string;
  /** Different disks, and how many of them had no torn write: those a sound disk leaves too. */
  readonly images: number;
  readonly imagesWithoutTear: number;
  readonly example: Sighting;
}

/** One run of the program. */
export interface RunCertificate {
  readonly perturbed: readonly string[];
  readonly marks: number;
  readonly entries: number;
  readonly epochs: number;
  /** All subsets of writes in flight, as a decimal number. */
  readonly subsets: string;
  readonly sampledEpochs: number;
  /** States walked, torn ones included. */
  readonly states: number;
  readonly distinctImages: number;
  /** Images that no earlier run of the same disk had. */
  readonly newImages: number;
  /** Images left out because of the budget. */
  readonly skippedImages: number;
}

/** What was done, how far it went, and how fast. */
export interface PowercutCertificate {
  readonly kernel: string;
  readonly fileSystem: string;
  readonly mountOptions: string;
  readonly program: readonly string[];
  readonly seed: number;
  readonly sectorBytes: number;
  readonly subsetsMax: number;
  readonly tornMax: number;
  readonly runs: readonly RunCertificate[];
  readonly imagesMounted: number;
  readonly distinctTrees: number;
  readonly treesChecked: number;
  readonly fileSystemsChecked: number;
  /** Those of them of which the file system's own tool had nothing to say. */
  readonly fileSystemsClean: number;
  readonly devices: number;
  /** Patch, mount, recover, read, unmount; null when nothing was mounted. */
  readonly imagesPerSecond: number | null;
  readonly fileSystemChecksPerSecond: number | null;
  readonly checksPerSecond: number | null;
}

/** The whole result. */
export interface PowercutResult {
  readonly findings: readonly PowercutFinding[];
  readonly damage: readonly DamageFinding[];
  /** Nothing was left out for lack of budget, and every untorn image could be looked at. */
  readonly complete: boolean;
  readonly certificate: PowercutCertificate;
}
