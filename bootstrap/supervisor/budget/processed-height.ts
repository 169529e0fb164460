/** The last block that Eclair has processed, by the heights that its API reports. */
export class ProcessedHeight {
  private readonly processedAfterSeconds: number;
  private eclairInstanceId: string | undefined;
  private candidate: { readonly height: number; readonly since: number } | undefined;
  private processed: number | undefined;

  /** @param processedAfterSeconds after this time, Eclair has processed a block that its API reports */
  constructor(processedAfterSeconds: number) {
    this.processedAfterSeconds = processedAfterSeconds;
  }

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
    if (now - this.candidate.since >= this.processedAfterSeconds) {
      this.processed = this.candidate.height;
      this.candidate = height > this.candidate.height ? { height, since: now } : this.candidate;
    }
    return this.processed;
  }
}
