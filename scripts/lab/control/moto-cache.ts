/**
 * Caches what the controller reads from moto. Only calls change moto's state, and each call invalidates what it can have changed.
 * moto has one thread, and its answers become slower with the number of resources that it knows.
 */
export class MotoCache {
  private generation = 0;
  private readonly generations = new Map<string, number>();

  invalidate(): void {
    this.generation += 1;
  }

  /** Invalidates what `cachedByKey` has for one key. */
  invalidateKey(key: string): void {
    this.generations.set(key, this.generationOf(key) + 1);
  }

  /** A function that calls `read` again only when the cache was invalidated after the start of the last call. */
  cached<T>(read: () => Promise<T>): () => Promise<T> {
    return cachedWhile(() => this.generation, read);
  }

  /** `cached` for each key. */
  cachedByKey<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
    const reads = new Map<string, () => Promise<T>>();
    return async (key) => {
      const readKey =
        reads.get(key) ??
        cachedWhile(
          () => this.generation + this.generationOf(key),
          () => read(key),
        );
      reads.set(key, readKey);
      return await readKey();
    };
  }

  private generationOf(key: string): number {
    return this.generations.get(key) ?? 0;
  }
}

/** A function that calls `read` again only when the version has changed since the start of the last call. */
function cachedWhile<T>(version: () => number, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly version: number; readonly value: T } | undefined;
  return async () => {
    const now = version();
    if (last?.version === now) return last.value;
    const value = await read();
    last = { version: now, value };
    return value;
  };
}
