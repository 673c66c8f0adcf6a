/**
 * What an append file takes: something that puts its bytes into memory it is given, so that framing
 * and encoding happen at their place and nothing is copied twice.
 */

/** Bytes to come. */
export interface AppendSource {
  /**
   * Bytes that `putInto` puts. It may find that it needs more: then `length` says so, and where they
   * have no room it is asked once more with room for them.
   */
  readonly length: number;
  /** Puts the bytes into `target` from `offset` on. Must not throw and must not append. */
  putInto(target: Uint8Array, offset: number): void;
}

/** Bytes as they are; one object for any number of appends. */
export class BytesSource implements AppendSource {
  bytes: Uint8Array = new Uint8Array(0);

  /** Makes it stand for `bytes`. */
  of(bytes: Uint8Array): this {
    this.bytes = bytes;
    return this;
  }

  get length(): number {
    return this.bytes.length;
  }

  putInto(target: Uint8Array, offset: number): void {
    target.set(this.bytes, offset);
  }
}
