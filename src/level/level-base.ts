/**
 * `AbstractLevel` as `HoldfastLevel` extends it: the same class, with our options in the types of
 * its methods, and with what its types leave out. No code of its own.
 */

import { AbstractLevel } from 'abstract-level';
import type {
  AbstractDatabaseHooks,
  AbstractDatabaseOptions,
  AbstractIterator,
  AbstractKeyIterator,
  AbstractValueIterator,
} from 'abstract-level';

import type {
  BatchOperation,
  BatchOptions,
  ChainedBatch,
  ClearOptions,
  DelOptions,
  GetManyOptions,
  GetOptions,
  HasManyOptions,
  HasOptions,
  IteratorOptions,
  KeyIteratorOptions,
  OpenOptions,
  PutOptions,
  ValueIteratorOptions,
} from './level-options.ts';

/** The store as its sublevels name it: `sublevel` of the base class has lost the type of ours. */
export type Parent<KDefault, VDefault> = AbstractLevel<
  string | Buffer | Uint8Array,
  KDefault,
  VDefault
>;

/** The methods of the base class, with more options than it declares. */
export interface LevelBase<KDefault, VDefault> extends Omit<
  AbstractLevel<string | Buffer | Uint8Array, KDefault, VDefault>,
  'hooks'
> {
  /**
   * As the base class has it. Typed with `this`, as there, the compiler could not tell whether this
   * class may stand where `AbstractLevel` is asked for.
   */
  hooks: AbstractDatabaseHooks<AbstractLevel<string | Buffer | Uint8Array, KDefault, VDefault>>;

  open(): Promise<void>;
  open(options: OpenOptions): Promise<void>;

  get(key: KDefault): Promise<VDefault | undefined>;
  get<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): Promise<V | undefined>;

  getSync(key: KDefault): VDefault | undefined;
  getSync<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): V | undefined;

  getMany(keys: KDefault[]): Promise<(VDefault | undefined)[]>;
  getMany<K = KDefault, V = VDefault>(
    keys: K[],
    options: GetManyOptions<K, V>,
  ): Promise<(V | undefined)[]>;

  has(key: KDefault): Promise<boolean>;
  has<K = KDefault>(key: K, options: HasOptions<K>): Promise<boolean>;

  hasMany(keys: KDefault[]): Promise<boolean[]>;
  hasMany<K = KDefault>(keys: K[], options: HasManyOptions<K>): Promise<boolean[]>;

  put(key: KDefault, value: VDefault): Promise<void>;
  put<K = KDefault, V = VDefault>(key: K, value: V, options: PutOptions<K, V>): Promise<void>;

  del(key: KDefault): Promise<void>;
  del<K = KDefault>(key: K, options: DelOptions<K>): Promise<void>;

  batch(
    operations: BatchOperation<Parent<KDefault, VDefault>, KDefault, VDefault>[],
  ): Promise<void>;
  batch<K = KDefault, V = VDefault>(
    operations: BatchOperation<Parent<KDefault, VDefault>, K, V>[],
    options: BatchOptions<K, V>,
  ): Promise<void>;
  batch(): ChainedBatch<this, KDefault, VDefault>;

  iterator(): AbstractIterator<this, KDefault, VDefault>;
  iterator<K = KDefault, V = VDefault>(
    options: IteratorOptions<K, V>,
  ): AbstractIterator<this, K, V>;

  keys(): AbstractKeyIterator<this, KDefault>;
  keys<K = KDefault>(options: KeyIteratorOptions<K>): AbstractKeyIterator<this, K>;

  values(): AbstractValueIterator<this, KDefault, VDefault>;
  values<K = KDefault, V = VDefault>(
    options: ValueIteratorOptions<K, V>,
  ): AbstractValueIterator<this, K, V>;

  clear(): Promise<void>;
  clear<K = KDefault>(options: ClearOptions<K>): Promise<void>;

  /** @throws an error with code `LEVEL_INVALID_KEY` */
  _assertValidKey(key: unknown): void;
  /** @throws an error with code `LEVEL_INVALID_VALUE` */
  _assertValidValue(value: unknown): void;
}

/** The base class. */
export const LevelBase: new <KDefault, VDefault>(
  manifest: object,
  options: AbstractDatabaseOptions<KDefault, VDefault>,
) => LevelBase<KDefault, VDefault> = AbstractLevel as never;
