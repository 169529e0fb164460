/** The forms in which a secret could be stored: raw, in hex, and in base64 at each of three alignments. */
export function formsOf(secret: Uint8Array): Buffer[] {
  const raw = Buffer.from(secret);
  const hex = raw.toString("hex");
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw]).toString("base64");
    // The first and the last characters also contain bits of the bytes before and after the secret.
    const first = Math.ceil((shift * 8) / 6);
    return text.slice(first, Math.floor(((shift + raw.length) * 8) / 6));
  });
  return [raw, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

export type Pattern = { readonly secret: string; readonly bytes: Buffer };

/** The searched patterns by their first two bytes, so that the data is read only once. */
export type Patterns = {
  readonly all: readonly Pattern[];
  readonly byStart: ReadonlyMap<number, readonly Pattern[]>;
  readonly starts: Uint8Array;
};

export function patternsOf(secrets: Readonly<Record<string, Uint8Array>>): Patterns {
  const all = Object.entries(secrets).flatMap(([secret, value]) =>
    formsOf(value).map((bytes) => ({ secret, bytes })),
  );
  const byStart = Map.groupBy(all, ({ bytes }) => bytes.readUInt16LE(0));
  const starts = new Uint8Array(65_536);
  for (const start of byStart.keys()) starts[start] = 1;
  return { all, byStart, starts };
}

const chunkBytes = 16 * 1024 * 1024;

/** Returns the names of the secrets that occur in the data. */
export function secretsIn(data: Buffer, { byStart, starts }: Patterns): string[] {
  const found = new Set<string>();
  for (let at = 0; at + 1 < data.length; at += 1) {
    const start = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8);
    if (starts[start] === 0) continue;
    for (const { secret, bytes } of byStart.get(start) ?? [])
      if (data.subarray(at, at + bytes.length).equals(bytes)) found.add(secret);
  }
  return [...found];
}

/** Returns the names of the secrets that occur in a file of any size, also across two chunks. */
export async function secretsInFile(
  read: (buffer: Buffer, position: number) => Promise<number>,
  patterns: Patterns,
): Promise<string[]> {
  const overlap = Math.max(...patterns.all.map(({ bytes }) => bytes.length)) - 1;
  const buffer = Buffer.alloc(chunkBytes + overlap);
  const zeros = Buffer.alloc(chunkBytes + overlap);
  const found = new Set<string>();
  for (let position = 0; ; position += chunkBytes) {
    const length = await read(buffer, position);
    if (length === 0) return [...found];
    const chunk = buffer.subarray(0, length);
    if (chunk.equals(zeros.subarray(0, length))) continue;
    for (const secret of secretsIn(chunk, patterns)) found.add(secret);
  }
}
