/** The forms in which a secret could lie around: raw, in hex, and in base64 at each of three alignments. */
export function formsOf(secret: Uint8Array): Buffer[] {
  const raw = Buffer.from(secret);
  const hex = raw.toString("hex");
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw]).toString("base64");
    // The first characters hold bits of what stands before, the last ones of what stands behind.
    const first = Math.ceil((shift * 8) / 6);
    return text.slice(first, Math.floor(((shift + raw.length) * 8) / 6));
  });
  return [raw, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

export type Pattern = { readonly secret: string; readonly bytes: Buffer };

export function patternsOf(secrets: Readonly<Record<string, Uint8Array>>): Pattern[] {
  return Object.entries(secrets).flatMap(([secret, value]) =>
    formsOf(value).map((bytes) => ({ secret, bytes })),
  );
}

const chunkBytes = 16 * 1024 * 1024;

/** Names of the secrets that occur in a text or in bytes. */
export function secretsIn(data: Buffer, patterns: readonly Pattern[]): string[] {
  return [...new Set(patterns.filter(({ bytes }) => data.includes(bytes)).map(({ secret }) => secret))];
}

/** The same over a file of any size, holes and all; what lies across two chunks is found too. */
export async function secretsInFile(
  read: (buffer: Buffer, position: number) => Promise<number>,
  patterns: readonly Pattern[],
): Promise<string[]> {
  const overlap = Math.max(...patterns.map(({ bytes }) => bytes.length)) - 1;
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
