/**
 * Handles of `ForwardingVfs`: each call is shown to an interceptor and passed to the wrapped
 * handle.
 */

import type { VfsCall, VfsCallName } from './vfs-call.ts';
import type { FileStat, VfsDirectory, VfsFile } from './vfs.ts';

/** Who is shown the calls; see `ForwardingVfs.intercept`. */
export interface CallInterceptor {
  intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T>;
  interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T;
}

/** A file that passes every call to another. */
export class ForwardingFile implements VfsFile {
  readonly path: string;
  readonly #inner: VfsFile;
  readonly #interceptor: CallInterceptor;

  constructor(inner: VfsFile, interceptor: CallInterceptor) {
    this.path = inner.path;
    this.#inner = inner;
    this.#interceptor = interceptor;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const call = this.#transfer('file.read', false, buffer, offset, length, position);
    return this.#interceptor.intercept(call, ({ transfer: range = call.transfer }) =>
      this.#inner.read(range.buffer, range.offset, range.length, range.position),
    );
  }

  readSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    const call = this.#transfer('file.read', true, buffer, offset, length, position);
    return this.#interceptor.interceptSync(call, ({ transfer: range = call.transfer }) =>
      this.#inner.readSync(range.buffer, range.offset, range.length, range.position),
    );
  }

  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const call = this.#transfer('file.write', false, buffer, offset, length, position);
    return this.#interceptor.intercept(call, ({ transfer: range = call.transfer }) =>
      this.#inner.write(range.buffer, range.offset, range.length, range.position),
    );
  }

  writeSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    const call = this.#transfer('file.write', true, buffer, offset, length, position);
    return this.#interceptor.interceptSync(call, ({ transfer: range = call.transfer }) =>
      this.#inner.writeSync(range.buffer, range.offset, range.length, range.position),
    );
  }

  truncate(size: number): Promise<void> {
    const call: VfsCall = { ...this.#call('file.truncate', false), size };
    return this.#interceptor.intercept(call, () => this.#inner.truncate(size));
  }

  truncateSync(size: number): void {
    const call: VfsCall = { ...this.#call('file.truncate', true), size };
    this.#interceptor.interceptSync(call, () => this.#inner.truncateSync(size));
  }

  sync(): Promise<void> {
    const call = this.#call('file.sync', false);
    return this.#interceptor.intercept(call, () => this.#inner.sync());
  }

  syncSync(): void {
    const call = this.#call('file.sync', true);
    this.#interceptor.interceptSync(call, () => this.#inner.syncSync());
  }

  datasync(): Promise<void> {
    const call = this.#call('file.datasync', false);
    return this.#interceptor.intercept(call, () => this.#inner.datasync());
  }

  datasyncSync(): void {
    const call = this.#call('file.datasync', true);
    this.#interceptor.interceptSync(call, () => this.#inner.datasyncSync());
  }

  stat(): Promise<FileStat> {
    const call = this.#call('file.stat', false);
    return this.#interceptor.intercept(call, () => this.#inner.stat());
  }

  statSync(): FileStat {
    const call = this.#call('file.stat', true);
    return this.#interceptor.interceptSync(call, () => this.#inner.statSync());
  }

  chmod(mode: number): Promise<void> {
    const call = this.#call('file.chmod', false);
    return this.#interceptor.intercept(call, () => this.#inner.chmod(mode));
  }

  chmodSync(mode: number): void {
    const call = this.#call('file.chmod', true);
    this.#interceptor.interceptSync(call, () => this.#inner.chmodSync(mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    const call = this.#call('file.chown', false);
    return this.#interceptor.intercept(call, () => this.#inner.chown(uid, gid));
  }

  chownSync(uid: number, gid: number): void {
    const call = this.#call('file.chown', true);
    this.#interceptor.interceptSync(call, () => this.#inner.chownSync(uid, gid));
  }

  close(): Promise<void> {
    const call = this.#call('file.close', false);
    return this.#interceptor.intercept(call, () => this.#inner.close());
  }

  closeSync(): void {
    const call = this.#call('file.close', true);
    this.#interceptor.interceptSync(call, () => this.#inner.closeSync());
  }

  #call(name: VfsCallName, blocking: boolean): VfsCall {
    return { name, blocking, path: this.path, handle: this.#inner };
  }

  #transfer(
    name: VfsCallName,
    blocking: boolean,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): VfsCall & Required<Pick<VfsCall, 'transfer'>> {
    const transfer = { buffer, offset, length, position };
    return { name, blocking, path: this.path, handle: this.#inner, transfer };
  }
}

/** A directory that passes every call to another. */
export class ForwardingDirectory implements VfsDirectory {
  readonly path: string;
  readonly #inner: VfsDirectory;
  readonly #interceptor: CallInterceptor;

  constructor(inner: VfsDirectory, interceptor: CallInterceptor) {
    this.path = inner.path;
    this.#inner = inner;
    this.#interceptor = interceptor;
  }

  sync(): Promise<void> {
    return this.#interceptor.intercept(this.#call('directory.sync', false), () =>
      this.#inner.sync(),
    );
  }

  syncSync(): void {
    this.#interceptor.interceptSync(this.#call('directory.sync', true), () =>
      this.#inner.syncSync(),
    );
  }

  close(): Promise<void> {
    return this.#interceptor.intercept(this.#call('directory.close', false), () =>
      this.#inner.close(),
    );
  }

  closeSync(): void {
    this.#interceptor.interceptSync(this.#call('directory.close', true), () =>
      this.#inner.closeSync(),
    );
  }

  #call(name: VfsCallName, blocking: boolean): VfsCall {
    return { name, blocking, path: this.path, handle: this.#inner };
  }
}
