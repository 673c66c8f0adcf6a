/** A map that can go back to a size that it had: what was added since is forgotten. */

export class UndoMap<K, V> {
  readonly #map = new Map<K, V>();
  readonly #keys: K[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  values(): Iterable<V> {
    return this.#map.values();
  }

  /** REQUIRES: the key is new. */
  add(key: K, value: V): void {
    this.#map.set(key, value);
    this.#keys.push(key);
  }

  clear(): void {
    this.rewind(0);
  }

  rewind(size: number): void {
    while (this.#keys.length > size) this.#map.delete(this.#keys.pop() as K);
  }
}
