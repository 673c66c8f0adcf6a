/**
 * What stands before the bytes of an entry in a block that is known to be well formed. Not here:
 * finding one (`block-lookup`, `block-cursor`).
 */

/** What stands before the bytes of an entry, and where these are. One can be used again and again. */
export class EntryHead {
  shared = 0;
  own = 0;
  valueLength = 0;
  /** Where the bytes of its key begin. */
  keyAt = 0;

  /** Where the key ends, and the value begins. */
  get keyEnd(): number {
    return this.keyAt + this.own;
  }

  get valueEnd(): number {
    return this.keyAt + this.own + this.valueLength;
  }

  read(bytes: Uint8Array, start: number): void {
    const shared = bytes[start]!;
    const own = bytes[start + 1]!;
    const valueLength = bytes[start + 2]!;
    if ((shared | own | valueLength) < 0x80) {
      this.shared = shared;
      this.own = own;
      this.valueLength = valueLength;
      this.keyAt = start + 3;
      return;
    }
    this.keyAt = start;
    this.shared = this.#varint(bytes);
    this.own = this.#varint(bytes);
    this.valueLength = this.#varint(bytes);
  }

  /** REQUIRES: there is one; whoever made the lookup has parsed the block. */
  #varint(bytes: Uint8Array): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = bytes[this.keyAt++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}
