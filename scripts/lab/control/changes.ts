/**
 * moto changes by calls alone, and each is told here; so what it said last stays true until the next one, and moto,
 * which has one thread and answers the slower the more it has seen, is not asked again.
 */
export class Changes {
  private count = 0;

  made(): void {
    this.count += 1;
  }

  /** `read`, done again only when something has changed since the last one began. */
  kept<T>(read: () => Promise<T>): () => Promise<T> {
    let last: { readonly count: number; readonly value: T } | undefined;
    return async () => {
      const { count } = this;
      if (last?.count === count) return last.value;
      const value = await read();
      last = { count, value };
      return value;
    };
  }
}
