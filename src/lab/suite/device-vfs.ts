/**
 * Lets asynchronous syncs take their time, as on a device: they end in a later turn of the event loop, so that what
 * the program does meanwhile overlaps with them in the trace. A `MemoryVfs` alone answers at once, and programs
 * that forget to wait would look as if they had waited.
 */

import { ForwardingVfs } from '../../vfs/forwarding-vfs.ts';
import type { VfsCall } from '../../vfs/vfs-call.ts';

export class DeviceVfs extends ForwardingVfs {
  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    if (call.name.endsWith('sync')) await new Promise((resolve) => setImmediate(resolve));
    return result;
  }
}
