/** Units of length, and numbers that must not be mixed. No conversions, no formatting. */

/** Bytes in a kibibyte. */
export const KIB = 1024;
/** Bytes in a mebibyte. */
export const MIB: number = 1024 * KIB;
/** Bytes in a gibibyte. */
export const GIB: number = 1024 * MIB;

declare const brand: unique symbol;

/**
 * A number or bigint with a meaning: `Branded<number, 'page'>` and `Branded<number, 'file'>` cannot
 * take each other's place, nor can a plain number. At run time it is the plain value.
 */
export type Branded<Value extends number | bigint, Name extends string> = Value & {
  readonly [brand]: Name;
};
