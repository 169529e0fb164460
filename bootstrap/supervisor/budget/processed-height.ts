/**
 * Eclair processes a block up to 30 s after bitcoind has it (`max-block-processing-delay`), and after its start it looks for the
 * spending of each channel within 60 s (`max-restart-watch-delay`).
 */
const processedAfterSeconds = 90;

/** The last block that Eclair has certainly processed, by the heights that its API reports. */
export class ProcessedHeight {
  private eclairInstanceId: string | undefined;
  private candidate: { readonly height: number; readonly since: number } | undefined;
  private processed: number | undefined;

  /**
   * @param now on CLOCK_BOOTTIME, in seconds
   * @returns the height; undefined until this Eclair has processed a block
   */
  observe(eclairInstanceId: string, height: number, now: number): number | undefined {
    if (eclairInstanceId !== this.eclairInstanceId) {
      this.eclairInstanceId = eclairInstanceId;
      this.candidate = undefined;
      this.processed = undefined;
    }
    // After a reorganization, Eclair processes the blocks of the other branch.
    if (this.candidate !== undefined && height < this.candidate.height) this.candidate = undefined;
    this.candidate ??= { height, since: now };
    if (now - this.candidate.since >= processedAfterSeconds) {
      this.processed = this.candidate.height;
      this.candidate = height > this.candidate.height ? { height, since: now } : this.candidate;
    }
    return this.processed;
  }
}
