import { statfs } from "node:fs/promises";
import type { ChainDiskReport } from "../../contract/reports/instance.ts";
import { paths } from "../../os/paths.ts";
import { logErrors } from "../../os/log-errors.ts";

/** bitcoind stops when less than 50 MB are free. On mainnet, this part of a volume lasts for months. */
const lowFreePart = 0.05;

/** The free space of the file system that contains the chain. */
export class ChainDisk {
  private last: ChainDiskReport | undefined;
  private isReading = false;

  /** Reads the free space. Never waits: a broken volume does not answer. */
  poll(): void {
    if (this.isReading) return;
    this.isReading = true;
    void logErrors("read-chain-disk", async () => {
      const { bavail, blocks, bsize } = await statfs(paths.chain);
      this.last = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    }).finally(() => {
      this.isReading = false;
    });
  }

  /** Undefined while the free space is not known. */
  get report(): ChainDiskReport | undefined {
    return this.last;
  }
}

/** Why the disk needs an operator; empty when it does not. The instance works until the disk is full. */
export function diskProblems(disk: ChainDiskReport | undefined): string[] {
  if (disk === undefined || disk.freeBytes >= disk.totalBytes * lowFreePart) return [];
  return [
    `the file system of the chain has ${gigabytes(disk.freeBytes)} GB of ${gigabytes(disk.totalBytes)} GB left`,
  ];
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
