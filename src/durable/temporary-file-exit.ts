/**
 * Removes the temporary files of writes in flight when the program calls `process.exit`, or its
 * worker thread ends. No signal handlers: what a killed process leaves is swept by the next one.
 */

import type { Vfs } from '../vfs/vfs.ts';

/** The temporary files that exist now. One for a process (or thread) is enough. */
export class TemporaryFilesAtExit {
  readonly #paths = new Map<string, Vfs>();
  #listening = false;

  /** To be removed if the process exits before `delete`. */
  add(vfs: Vfs, path: string): void {
    this.#paths.set(path, vfs);
    if (this.#listening) return;
    this.#listening = true;
    process.on('exit', () => this.removeAll());
  }

  /** It became the target, or is gone. */
  delete(path: string): void {
    this.#paths.delete(path);
  }

  removeAll(): void {
    for (const [path, vfs] of this.#paths) {
      try {
        vfs.unlinkSync(path);
      } catch {
        // Nobody is left to be told. The next sweep tries again.
      }
    }
    this.#paths.clear();
  }
}
