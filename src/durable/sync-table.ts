/**
 * Which call makes what durable, as data: one row a platform, one column a need, every cell with
 * its source. The only place where platform and runtime decide anything about syncing. Not here:
 * making the calls, which is `sync-dispatch`; and what the disk below does with them, which is
 * `doctor`'s subject.
 */

/** What runs the program. libuv is Node's; the others make the system calls themselves. */
export type SyncRuntime = 'node' | 'bun' | 'deno';

/**
 * How far a cell can be trusted on hardware that keeps its word:
 * `documented`: the platform's documentation or the runtime's source says so;
 * `assumed`: nobody says so, everybody relies on it;
 * `weaker`: the call is made and a power cut may take the data all the same.
 */
export type SyncConfidence = 'documented' | 'assumed' | 'weaker';

/**
 * One decision: the vfs call to make, the system call it becomes, how sure that is, and who says
 * so.
 */
export interface SyncCell<Call extends string> {
  readonly call: Call;
  /** The system call as a tracer shows it; empty where none is made. */
  readonly systemCall: string;
  readonly confidence: SyncConfidence;
  /** Addresses, manual pages, or a path in a public source tree. */
  readonly sources: readonly string[];
}

/** The row of one platform under one runtime. */
export interface SyncRules {
  /** As in `process.platform`. */
  readonly platform: string;
  readonly runtime: SyncRuntime;
  /** Appended or overwritten bytes and the size needed to read them. */
  readonly bytes: SyncCell<'datasync' | 'sync'>;
  /** Bytes, size, permission bits and owner. */
  readonly file: SyncCell<'sync'>;
  /**
   * Writes that are durable when they return, without a sync after them; `none`: the caller must
   * sync.
   */
  readonly durableWrites: SyncCell<'open-flag' | 'none'>;
  /**
   * A created, renamed or removed name; `flush-new-file`: open the file under its new name and sync
   * it.
   */
  readonly names: SyncCell<'directory-sync' | 'flush-new-file'>;
  /** A new directory in its parent. */
  readonly newDirectory: SyncCell<'directory-sync' | 'none'>;
}

const LINUX_FSYNC = 'https://man7.org/linux/man-pages/man2/fsync.2.html';
const LINUX_OPEN = 'https://man7.org/linux/man-pages/man2/open.2.html';
const POSIX_FSYNC = 'https://pubs.opengroup.org/onlinepubs/9799919799/functions/fsync.html';
const LIBUV_UNIX = 'libuv/libuv src/unix/fs.c, uv__fs_fsync and uv__fs_fdatasync';
const LIBUV_WINDOWS = 'libuv/libuv src/win/fs.c, fs__sync_impl';
const BUN = 'oven-sh/bun src/bun.js/node/node_fs.zig, fsync and fdatasync';
const DENO = 'denoland/deno ext/node/polyfills/_fs/_fs_fdatasync.ts over Rust std::fs::File';
const RUST_APPLE = 'https://github.com/rust-lang/rust/pull/60121';
const APPLE_FSYNC = 'Apple fsync(2): "the drive itself may not physically write the data"';
const LIBUV_FALLBACK = 'https://github.com/libuv/libuv/pull/2317';
const FLUSH_FILE_BUFFERS =
  'https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers';
const NT_FLUSH =
  'https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntflushbuffersfileex';
const WINDOWS_DIRECTORY = 'https://github.com/nodejs/node/issues/3879';

type Row = Omit<SyncRules, 'platform' | 'runtime'>;

function linux(runtime: SyncRuntime): Row {
  const through = { node: LIBUV_UNIX, bun: BUN, deno: DENO }[runtime];
  return {
    bytes: cell('datasync', 'fdatasync', 'documented', LINUX_FSYNC, through),
    file: cell('sync', 'fsync', 'documented', LINUX_FSYNC, through),
    durableWrites: cell('open-flag', 'open O_DSYNC', 'documented', LINUX_OPEN),
    names: cell('directory-sync', 'fsync of the directory', 'documented', LINUX_FSYNC),
    newDirectory: cell('directory-sync', 'fsync of the parent', 'documented', LINUX_FSYNC),
  };
}

/**
 * libuv asks for F_FULLFSYNC, and when the volume refuses falls back to F_BARRIERFSYNC and fsync
 * without a word; Rust's library asks for it and fails when it is refused; Bun calls plain fsync,
 * after which the drive may still hold the data. No runtime flushes the drive for O_DSYNC, so
 * writes are synced. Apple says nothing about names.
 */
function darwin(runtime: SyncRuntime): Row {
  const [systemCall, confidence, ...sources] = (
    {
      node: ['fcntl F_FULLFSYNC', 'documented', LIBUV_UNIX, LIBUV_FALLBACK, APPLE_FSYNC],
      bun: ['fsync', 'weaker', BUN, APPLE_FSYNC],
      deno: ['fcntl F_FULLFSYNC', 'documented', DENO, RUST_APPLE, APPLE_FSYNC],
    } as const
  )[runtime];
  const names: SyncConfidence = confidence === 'documented' ? 'assumed' : confidence;
  return {
    bytes: cell('sync', systemCall, confidence, ...sources),
    file: cell('sync', systemCall, confidence, ...sources),
    durableWrites: cell('none', '', 'assumed', APPLE_FSYNC),
    names: cell('directory-sync', `${systemCall} of the directory`, names, ...sources),
    newDirectory: cell('directory-sync', `${systemCall} of the parent`, names, ...sources),
  };
}

/**
 * A directory cannot be opened for syncing. FlushFileBuffers needs a handle with write access and
 * writes the file's data and metadata; that the name goes with it, on NTFS through its log, is
 * assumed.
 */
function win32(runtime: SyncRuntime): Row {
  const through = runtime === 'deno' ? DENO : LIBUV_WINDOWS;
  const flush = 'FlushFileBuffers';
  return {
    bytes: cell('sync', flush, 'documented', FLUSH_FILE_BUFFERS, NT_FLUSH, through),
    file: cell('sync', flush, 'documented', FLUSH_FILE_BUFFERS, NT_FLUSH, through),
    durableWrites: cell('none', '', 'documented', LIBUV_WINDOWS),
    names: cell('flush-new-file', flush, 'assumed', NT_FLUSH, WINDOWS_DIRECTORY),
    newDirectory: cell('none', '', 'assumed', WINDOWS_DIRECTORY),
  };
}

/** Any other system: the portable calls, of which POSIX promises little. */
function otherUnix(runtime: SyncRuntime): Row {
  const through = { node: LIBUV_UNIX, bun: BUN, deno: DENO }[runtime];
  return {
    bytes: cell('sync', 'fsync', 'assumed', POSIX_FSYNC, through),
    file: cell('sync', 'fsync', 'assumed', POSIX_FSYNC, through),
    durableWrites: cell('none', '', 'assumed', POSIX_FSYNC),
    names: cell('directory-sync', 'fsync of the directory', 'assumed', POSIX_FSYNC),
    newDirectory: cell('directory-sync', 'fsync of the parent', 'assumed', POSIX_FSYNC),
  };
}

/**
 * The row for a platform (`process.platform`) and a runtime. Unknown platforms get the portable
 * row.
 */
export function syncRulesFor(platform: string, runtime: SyncRuntime): SyncRules {
  return { platform, runtime, ...rowOf(platform)(runtime) };
}

/** The row for the running program. */
export function currentSyncRules(): SyncRules {
  return syncRulesFor(process.platform, currentRuntime());
}

/** Which runtime this is, by the version it reports. */
export function currentRuntime(
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): SyncRuntime {
  if (versions['bun'] !== undefined) return 'bun';
  if (versions['deno'] !== undefined) return 'deno';
  return 'node';
}

function rowOf(platform: string): (runtime: SyncRuntime) => Row {
  switch (platform) {
    case 'linux':
    case 'android':
      return linux;
    case 'darwin':
      return darwin;
    case 'win32':
      return win32;
    default:
      return otherUnix;
  }
}

function cell<Call extends string>(
  call: Call,
  systemCall: string,
  confidence: SyncConfidence,
  ...sources: readonly string[]
): SyncCell<Call> {
  return { call, systemCall, confidence, sources };
}
