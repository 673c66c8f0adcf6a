/** What is used of the package `snappyjs`, which comes without types. */

declare module 'snappyjs' {
  export function compress(bytes: Uint8Array): Uint8Array;
  /** @throws Error for a stream that is none, or stands for more than `lengthMax` bytes. */
  export function uncompress(bytes: Uint8Array, lengthMax: number): Uint8Array;
}
