/** Copies a file of a store to another directory, durable when it resolves; its name is not. */

import type { SyncDispatch } from './sync-dispatch.ts';
import { readFully, writeFully } from '../vfs/transfer.ts';

const CHUNK_BYTES = 1 << 20;

/** @throws the operating system's error; what was written so far stays */
export async function copyFile(
  dispatch: SyncDispatch,
  from: string,
  to: string,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const source = await dispatch.vfs.open(from, { read: true });
  try {
    const options = { write: true, create: true, exclusive: true, noFollow: true };
    const target = await dispatch.vfs.open(to, options);
    try {
      const buffer = new Uint8Array(CHUNK_BYTES);
      let done = 0;
      for (;;) {
        const count = await readFully(source, buffer, done);
        if (count === 0) break;
        await writeFully(target, buffer, done, 0, count);
        done += count;
        onBytes(count);
      }
      await dispatch.file(target);
      return done;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
