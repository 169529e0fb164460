import { askEclair } from "./api.ts";
import type { Eclairs } from "./eclairs.ts";
import type { Eclair } from "./observation.ts";
import type { Renewal } from "./renewal.ts";

/** What the Eclair with a way to the database says of itself. */
export class Answers {
  private readonly renewal: Pick<Renewal, "means" | "next">;
  private readonly eclairs: Pick<Eclairs, "open">;
  private last: Eclair["info"];
  private asking = false;
  private other: string | undefined;

  constructor(renewal: Pick<Renewal, "means" | "next">, eclairs: Pick<Eclairs, "open">) {
    this.renewal = renewal;
    this.eclairs = eclairs;
  }

  /** None while its API does not answer. */
  get info(): Eclair["info"] {
    return this.last;
  }

  /** The node that an Eclair here came up as, when that was not this node. */
  get wrongNode(): string | undefined {
    return this.other;
  }

  /** That Eclair has ended. */
  forget(): void {
    this.last = undefined;
  }

  async ask(): Promise<void> {
    const { open } = this.eclairs;
    if (this.asking || open === undefined) return;
    this.asking = true;
    const info = await this.askEither();
    this.asking = false;
    if (this.eclairs.open !== open) return;
    this.last = info;
    if (info !== undefined && info.nodeId !== this.renewal.means.node.configuration.nodeId)
      this.other = info.nodeId;
  }

  /** An Eclair that started while a boot rendered may know what that boot has rendered already. */
  private async askEither(): Promise<Eclair["info"]> {
    const { means, next } = this.renewal;
    const info = await askEclair(means.secrets.apiPassword);
    return info ?? (next && (await askEclair(next.secrets.apiPassword)));
  }
}
