/**
 * Standard output as marks: one for each whole line, with its newline, so that all marks together are the output.
 */

const NEWLINE = 0x0a;

export class MarkLines {
  readonly #tell: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  /** @param tell called for each line once its last byte is written */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  write(bytes: Uint8Array): void {
    let data = Buffer.concat([this.#rest, bytes]);
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE)) {
      this.#tell(data.toString('utf8', 0, at + 1));
      data = data.subarray(at + 1);
    }
    this.#rest = data;
  }

  /** The program's end: a last line without newline has been told, too. */
  end(): void {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (rest.byteLength > 0) this.#tell(rest.toString('utf8'));
  }
}
