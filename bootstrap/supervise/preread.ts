import { existsSync, readFileSync, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ChangeLog } from "../log.ts";
import { places } from "../places.ts";
import { boottime } from "./clock.ts";

const everySeconds = 600;
const chunkBytes = 1 << 20;

/**
 * Reads what an Eclair that starts, or goes on, will read: Java, its AOT cache and Eclair's jars. The first look at a
 * block of a volume that was made from a snapshot fetches it from S3, and memory may be wanted for something else later.
 */
export class Preread {
  private readonly files: () => readonly string[];
  private readAt = -Infinity;
  private readonly log = new ChangeLog("preread");

  constructor(files = filesOfEclair) {
    this.files = files;
  }

  /** Reads when it is time to. */
  async look(): Promise<void> {
    if (boottime() - this.readAt < everySeconds) return;
    this.readAt = boottime();
    const started = performance.now();
    try {
      const files = this.files();
      let bytes = 0;
      for (const file of files) bytes += await readThrough(file);
      const milliseconds = Math.round(performance.now() - started);
      this.log.tell({ files: files.length, bytes, milliseconds }, [files.length, bytes]);
    } catch (error) {
      this.log.fail(error);
    }
  }
}

function filesOfEclair(): string[] {
  const java = join(dirname(realpathSync("/usr/bin/java")), "..", "lib");
  return [
    join(java, "server", "libjvm.so"),
    join(java, "modules"),
    // An Eclair that Java can't train for has none.
    ...[places.aotCache].filter((path) => existsSync(path)),
    ...readFileSync(places.classPath, "utf8").trim().split(":"),
  ];
}

/** @returns how many bytes it has */
async function readThrough(path: string): Promise<number> {
  const file = await open(path);
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let total = 0; ;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes);
      if (bytesRead === 0) return total;
      total += bytesRead;
    }
  } finally {
    await file.close();
  }
}
