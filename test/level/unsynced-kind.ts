/** An engine without syncs, for suites that make thousands of stores: what is durable when is asked elsewhere. */

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { EngineKind } from '../../src/engine/engine-kind.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

/**
 * The kind under the policy `none`, on another file system when one is given. Not as options of the store: suites
 * compare those that arrive with those they gave.
 */
export function unsynced(kind: EngineKind, vfs?: Vfs): EngineKind {
  const place =
    vfs === undefined ? {} : { dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')) };
  const open: EngineKind['open'] = (directory, options) =>
    kind.open(directory, { sync: 'none', ...place, ...options });
  return Object.create(kind, { open: { value: open } }) as EngineKind;
}
