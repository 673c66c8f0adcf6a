/**
 * What a program under `strace` tells the outside world: standard output line by line, and whatever it sends over a
 * connection. Connections between its own processes (socket pairs, pipes) and to services of the operating system
 * tell nobody anything that a crash could make a lie.
 */

import { readBack } from './live-process.ts';
import { MarkLines } from './mark-lines.ts';
import type { StraceArgument } from './strace-arguments.ts';
import { numberOf, textOf } from './strace-calls.ts';
import type { Copy } from './strace-copies.ts';

export interface StandardOutput {
  /** What it is, as `/proc/PID/fd/1` tells it. */
  readonly stdout: string;
  /** Standard error is the same terminal or file, so only the number tells them apart. */
  readonly sharedWithError: boolean;
}

const STDOUT_FD = 1;

const WRITES: ReadonlySet<string> = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']);
const SENDS: ReadonlySet<string> = new Set([...WRITES, 'sendto', 'sendmsg', 'sendmmsg']);

/** Name service, log, bus: asked by libraries, without the program's doing. */
const SYSTEM_SERVICE = /^\/(?:var\/)?run\/(?:nscd|systemd|dbus)\/|^\/dev\/log$/;

/** Asked for the address of a name, not told of a result. */
const NAME_SERVER = /:53\]$/;

const NO_BYTES = new Uint8Array(0);

export class StraceOutput {
  readonly #output: StandardOutput;
  readonly #tell: (source: 'mark' | 'stdout', text: string) => void;
  readonly #lines: MarkLines;
  /** Sockets of the program's own pairs and to services, by the number that strace shows first. */
  readonly #ownSockets = new Set<string>();

  constructor(output: StandardOutput, tell: (source: 'mark' | 'stdout', text: string) => void) {
    this.#output = output;
    this.#tell = tell;
    this.#lines = new MarkLines((text) => tell('stdout', text));
  }

  /** A call that ended well with this result. */
  call(name: string, args: readonly StraceArgument[], result: number): void {
    if (name === 'socketpair') {
      for (const { opened } of args[3]?.list ?? []) this.#own(opened);
    } else if (name === 'connect') {
      const path = textOf(args[1]?.fields?.get('sun_path'));
      if (SYSTEM_SERVICE.test(path)) this.#own(args[0]?.opened);
    } else if (SENDS.has(name)) {
      const isWrite = WRITES.has(name);
      if (this.#listens(args[0], isWrite)) {
        this.#told(args[0], sentBytes(name, args[1], result));
      }
    }
  }

  /** Bytes moved by the kernel to a descriptor that is no file. */
  copied(copy: Copy, sourceOffset: number, moved: number): void {
    const to = copy.target;
    if (moved === 0 || !this.#listens(to, true)) return;
    // Of a pipe nothing can be read again: that something was told is known, and not what.
    this.#told(to, readBack(copy.fromOpened, sourceOffset, moved) ?? NO_BYTES);
  }

  /** The first process ended. */
  end(): void {
    this.#lines.end();
  }

  #listens(to: StraceArgument | undefined, isWrite: boolean): boolean {
    const opened = to?.opened ?? '';
    return (isWrite && this.#isOutput(numberOf(to), opened)) || this.#isConnection(opened);
  }

  #told(to: StraceArgument | undefined, bytes: Uint8Array): void {
    if (this.#isOutput(numberOf(to), to?.opened ?? '')) this.#lines.write(bytes);
    else this.#tell('mark', Buffer.from(bytes).toString('utf8'));
  }

  #isOutput(fd: number, opened: string): boolean {
    const { stdout, sharedWithError } = this.#output;
    if (sharedWithError && fd !== STDOUT_FD) return false;
    if (opened === stdout) return true;
    // strace tells more of a socket than its number.
    const [, socket] = /^socket:\[(\d+)\]$/.exec(stdout) ?? [];
    return socket !== undefined && new RegExp(`^[A-Z-]+:\\[${socket}\\b`).test(opened);
  }

  #isConnection(opened: string): boolean {
    if (/^(?:TCP|SCTP)(?:v6)?:/.test(opened)) return true;
    if (/^UDP(?:v6)?:/.test(opened)) return !NAME_SERVER.test(opened);
    if (!/^UNIX-(?:STREAM|SEQPACKET):/.test(opened)) return false;
    return !this.#ownSockets.has(socketNumber(opened));
  }

  #own(opened: string | undefined): void {
    if (opened !== undefined) this.#ownSockets.add(socketNumber(opened));
  }
}

/** `UNIX-STREAM:[12->13,"name"]` is 12. */
function socketNumber(opened: string): string {
  return /\[(\d+)/.exec(opened)?.[1] ?? '';
}

function sentBytes(name: string, data: StraceArgument | undefined, result: number): Uint8Array {
  if (name !== 'sendmmsg') return messageBytes(data).subarray(0, result);
  const messages = (data?.list ?? []).slice(0, result);
  return Buffer.concat(messages.map((message) => messageBytes(message.fields?.get('msg_hdr'))));
}

function messageBytes(data: StraceArgument | undefined): Uint8Array {
  if (data?.bytes !== undefined) return data.bytes;
  const vector = data?.list ?? data?.fields?.get('msg_iov')?.list ?? [];
  return Buffer.concat(vector.map((part) => part.fields?.get('iov_base')?.bytes ?? NO_BYTES));
}
