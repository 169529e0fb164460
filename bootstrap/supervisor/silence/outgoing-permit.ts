import { createSocket } from "node:dgram";

/** For how long a packet to the address below permits Eclair's packets to other hosts, by /etc/nftables.conf. */
export const permitSeconds = 1.7;

/** Whether a permit that is renewed now ends before a deadline; both times in seconds on CLOCK_BOOTTIME. */
export const permitEndsBefore = (deadline: number, now: number): boolean => now + permitSeconds <= deadline;
const permitAddress = "127.0.0.9";
const discardPort = 9;

/**
 * Permits Eclair's own connections to peers, which do not pass through the door. The firewall ends the permit by itself: a host
 * that was paused sends nothing when it resumes, before any program of this host runs.
 */
export class OutgoingPermit {
  private readonly socket = createSocket("udp4");

  constructor() {
    this.socket.on("error", () => undefined);
    this.socket.unref();
  }

  renew(): void {
    this.socket.send(Buffer.alloc(1), discardPort, permitAddress, () => undefined);
  }

  close(): void {
    this.socket.close();
  }
}
