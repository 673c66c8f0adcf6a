/**
 * Node's side of the keeper (`keeper-script.ts`): one promise a request, answered in order. It knows nothing of
 * file systems or logs.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { constants } from 'node:os';
import { assert } from '../../base/assert.ts';
import { UsageError } from '../../base/errors.ts';
import { keeperScript } from './keeper-script.ts';

/** Node's table lacks what file systems say of a damaged disk. */
const ERROR_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, errno]) => [errno, name] as const),
  [117, 'EUCLEAN'],
]);

/** A system call that the keeper made and that failed. */
export class KeeperError extends Error {
  /** The operating system's name, such as `'EUCLEAN'`; empty where there was none. */
  readonly code: string;

  constructor(errno: number, message: string) {
    super(message);
    this.code = ERROR_NAMES.get(errno) ?? '';
  }

  override get name(): string {
    return 'KeeperError';
  }
}

/** A range of a sparse file that holds data, in bytes. */
export interface FileExtent {
  readonly offset: number;
  readonly end: number;
}

interface Waiting {
  resolve(words: readonly string[]): void;
  reject(error: Error): void;
}

/** How long a server that the keeper started may take to end by itself, in seconds. */
const STOP_PATIENCE_S = 10;

/** One keeper process. Whoever starts one calls `close`; a keeper whose owner dies takes all down by itself. */
export class Keeper {
  /** Process id, for `nsenter` and for paths through `/proc`. */
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  readonly #waiting: Waiting[] = [];
  #dead: Error | null = null;

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, pid: number) {
    this.pid = pid;
    this.#child = child;
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    // Without this an EPIPE of a keeper that died would end the whole process; `#end` reports it.
    child.stdin.on('error', () => this.#end('the keeper closed its input'));
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#answer(line);
    });
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#end(errors.trim() === '' ? 'the keeper ended' : errors.trim());
        resolve();
      });
      child.once('error', (error) => {
        this.#end(`perl cannot be run: ${error.message}`);
        resolve();
      });
    });
  }

  /**
   * Starts a keeper that owns `workDirectory`: it removes the directory when it ends.
   *
   * @throws {UsageError} when it cannot make a mount namespace (no root).
   */
  static async start(workDirectory: string): Promise<Keeper> {
    const child = spawn('perl', ['-e', keeperScript, workDirectory], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A session of its own: an interrupt from the terminal is the rig's to handle.
      detached: true,
      cwd: '/',
    });
    const keeper = new Keeper(child, child.pid ?? 0);
    try {
      await keeper.#nextAnswer();
    } catch (error) {
      // Every reason (no perl, no root, no namespaces) means the same to the user.
      throw new UsageError(`powercut cannot start its keeper: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return keeper;
  }

  /** Makes the keeper mount `source`; visible to it and below `path` only. */
  async mount(mount: {
    source: string;
    target: string;
    type: string;
    flags: number;
    data: string;
  }): Promise<void> {
    const { source, target, type, flags, data } = mount;
    await this.#request('mount', source, target, type, String(flags), data);
  }

  async unmount(target: string): Promise<void> {
    await this.#request('umount', target);
  }

  /** Attaches `file` to a free loop device with sectors of 512 bytes; resolves to the device's path. */
  async attachLoop(file: string): Promise<string> {
    const [device] = await this.#request('attach', file);
    assert(device !== undefined, 'the keeper names the device');
    return device;
  }

  async detachLoop(device: string): Promise<void> {
    await this.#request('detach', device);
  }

  /** Where a sparse file has data. */
  async extents(file: string): Promise<FileExtent[]> {
    const words = await this.#request('extents', file);
    const found: FileExtent[] = [];
    for (let index = 0; index + 1 < words.length; index += 2) {
      found.push({ offset: Number(words[index]), end: Number(words[index + 1]) });
    }
    return found;
  }

  /** Starts a server, outside the programs' process namespace and with mounts of its own; it dies with the keeper. */
  async startServer(errorsFile: string, command: readonly string[]): Promise<number> {
    const [pid] = await this.#request('start', errorsFile, ...command);
    return Number(pid);
  }

  /** Ends a server started here with SIGTERM, and with SIGKILL when it does not listen. */
  async stopServer(pid: number): Promise<void> {
    await this.#request('stop', String(pid), String(STOP_PATIENCE_S));
  }

  async isServerAlive(pid: number): Promise<boolean> {
    const [alive] = await this.#request('alive', String(pid));
    return alive === '1';
  }

  /** Makes the process namespace for programs; resolves to the process id of its first process. */
  async startProgramNamespace(): Promise<number> {
    const [pid] = await this.#request('namespace');
    return Number(pid);
  }

  /** Ends every program in the namespace, whatever it does. */
  async endPrograms(): Promise<void> {
    await this.#request('end');
  }

  /** Starts the write-back of a file's dirty pages and waits for it; commits no metadata. */
  async writeBack(path: string): Promise<void> {
    await this.#request('writeback', path);
  }

  /** syncfs(2) on the file system that holds `path`. */
  async syncFileSystem(path: string): Promise<void> {
    await this.#request('syncfs', path);
  }

  /** Commits the running transaction of a btrfs without flushing data whose allocation is delayed. */
  async commitBtrfs(path: string): Promise<void> {
    await this.#request('btrfscommit', path);
  }

  /** What the keeper calls `path` as a server sees it, whose mounts are its own: the keeper works in `/proc`. */
  ofServer(pid: number, path: string): string {
    return `${pid}/root${path}`;
  }

  /** Where `path` of the keeper's mount namespace is for this process. */
  outside(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Takes everything down and waits for it. Safe to call twice, and after the keeper died. */
  async close(): Promise<void> {
    if (this.#dead === null) {
      this.#child.stdin.end('quit\n');
    }
    await this.#ended;
  }

  #request(...words: readonly string[]): Promise<readonly string[]> {
    if (this.#dead !== null) return Promise.reject(this.#dead);
    const answer = this.#nextAnswer();
    this.#child.stdin.write(`${words.map(encode).join(' ')}\n`);
    return answer;
  }

  #nextAnswer(): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#dead === null) this.#waiting.push({ resolve, reject });
      else reject(this.#dead);
    });
  }

  #answer(line: string): void {
    const waiting = this.#waiting.shift();
    // The answer to `quit` has nobody waiting for it: `close` waits for the end of the process.
    if (waiting === undefined) return;
    const [status, ...words] = line.split(' ').map(decode);
    if (status === 'ok') waiting.resolve(words);
    else waiting.reject(new KeeperError(Number(words[0]), words[1] ?? line));
  }

  #end(reason: string): void {
    this.#dead ??= new Error(reason);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#dead);
  }
}

function encode(word: string): string {
  if (word === '') return '%';
  return Buffer.from(word)
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9_.,:=/+-]/g,
      (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}

function decode(word: string): string {
  if (word === '%') return '';
  const latin = word.replace(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin, 'latin1').toString('utf8');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
