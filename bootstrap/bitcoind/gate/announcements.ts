/** Whether the ZMQ publisher of a bitcoind announces the blocks that its RPC shows. */
export class Announcements {
  private announced: string | undefined;
  /** The best block when the connection began: nobody announces it again. */
  private baseline: string | undefined;
  private silentSince: number | undefined;

  noteAnnounced(hash: string): void {
    this.announced = hash;
  }

  /**
   * @param best the hash of the best block, by RPC
   * @param isConnected to the publisher
   * @param now in seconds on CLOCK_BOOTTIME, here and below
   */
  observe(best: string, isConnected: boolean, now: number): void {
    if (!isConnected) {
      this.baseline = undefined;
      this.silentSince ??= now;
      return;
    }
    if (this.baseline === undefined) {
      this.baseline = best;
      this.silentSince = undefined;
    }
    this.silentSince =
      best === this.announced || best === this.baseline ? undefined : (this.silentSince ?? now);
  }

  /** Seconds without a connection, or since a new block that was not announced. */
  silentSeconds(now: number): number {
    return this.silentSince === undefined ? 0 : now - this.silentSince;
  }
}
