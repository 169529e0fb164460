/**
 * Caches what the controller reads from moto. Only calls change moto's state, and each call invalidates the cache. moto
 * has one thread, and its answers become slower with the number of resources that it knows.
 */
export class MotoCache {
  private generation = 0;

  invalidate(): void {
    this.generation += 1;
  }

  /** A function that calls `read` again only when the cache was invalidated after the start of the last call. */
  cached<T>(read: () => Promise<T>): () => Promise<T> {
    let last: { readonly generation: number; readonly value: T } | undefined;
    return async () => {
      const { generation } = this;
      if (last?.generation === generation) return last.value;
      const value = await read();
      last = { generation, value };
      return value;
    };
  }

  /** `cached` for each key. */
  cachedByKey<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
    const reads = new Map<string, () => Promise<T>>();
    return async (key) => {
      const readKey = reads.get(key) ?? this.cached(() => read(key));
      reads.set(key, readKey);
      return await readKey();
    };
  }
}
