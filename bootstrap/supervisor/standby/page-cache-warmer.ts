import { existsSync, readFileSync, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { boottime } from "../../os/clock.ts";
import { ChangeLog } from "../../os/log.ts";
import { paths } from "../../os/paths.ts";

const everySeconds = 600;
const chunkBytes = 1 << 20;

/**
 * Reads the files that Eclair reads during a takeover into the page cache: Java, its AOT cache and Eclair's jars. The first
 * read of a block of a volume that was created from a snapshot fetches the block from S3, and the kernel can drop cached
 * pages later.
 */
export class PageCacheWarmer {
  private readonly files: () => readonly string[];
  private warmedAt = -Infinity;
  private readonly log = new ChangeLog("page-cache.failed");

  constructor(files = eclairFiles) {
    this.files = files;
  }

  /** Reads the files every ten minutes. */
  async poll(): Promise<void> {
    if (boottime() - this.warmedAt < everySeconds) return;
    this.warmedAt = boottime();
    const started = performance.now();
    try {
      const files = this.files();
      let bytes = 0;
      for (const file of files) bytes += await readWholeFile(file);
      const durationMs = Math.round(performance.now() - started);
      this.log.log("page-cache.warmed", { files: files.length, bytes, durationMs }, [files.length, bytes]);
    } catch (error) {
      this.log.logError(error);
    }
  }
}

function eclairFiles(): string[] {
  const java = join(dirname(realpathSync("/usr/bin/java")), "..", "lib");
  return [
    join(java, "server", "libjvm.so"),
    join(java, "modules"),
    // Java cannot create an AOT cache for every Eclair.
    ...[paths.aotCache].filter((path) => existsSync(path)),
    ...readFileSync(paths.classPath, "utf8").trim().split(":"),
  ];
}

/** @returns the size of the file in bytes */
async function readWholeFile(path: string): Promise<number> {
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
