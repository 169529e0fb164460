import type { Role } from "../contract/reports/instance.ts";
import { boottime } from "../os/clock.ts";
import { logEvent } from "../os/log.ts";
import type { Decision } from "./decide.ts";

/** The last decision, and since when this host has had its role. */
export class CurrentRole {
  private last: Decision = {
    role: "waiting",
    action: "none",
    ready: false,
    reasons: ["the supervisor is starting"],
  };
  private changedAt = boottime();
  private changedOn = new Date();

  get decision(): Decision {
    return this.last;
  }

  get name(): Role {
    return this.last.role;
  }

  get since(): Date {
    return this.changedOn;
  }

  /** How long this host has had its role. */
  get seconds(): number {
    return boottime() - this.changedAt;
  }

  follow(decision: Decision): void {
    if (decision.role !== this.last.role) {
      this.changedOn = new Date();
      this.changedAt = boottime();
      logEvent("role.changed", {
        role: decision.role,
        previousRole: this.last.role,
        reasons: decision.reasons,
      });
    }
    this.last = decision;
  }
}
