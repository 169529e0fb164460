import type { Scene } from "./scene.ts";

/** Of the name of a drill that does to plain Eclair what the one without it does to ours. */
export const plainPrefix = "plain-";

/** A fault that a drill brings about. */
export type Fault = {
  readonly name: string;
  readonly title: string;
  /** Its time until the other host listens has a target: it is run more often. */
  readonly timed?: boolean;
  /** It shows what plain Eclair does: whatever its writers do is no verdict on ours. */
  readonly plain?: boolean;
  /** It is about channels: without a peer, which the stand-in can't have, it is left out. */
  readonly needsPeer?: boolean;
  /** Whoever serves next counts, also the host that served before. */
  readonly eitherMayServe?: boolean;
  /** What it needs before the pair is watched; it may change who is active. */
  readonly prepare?: (scene: Scene) => Promise<void>;
  /** The fault, what follows, and its end; it throws `Astray` when it did not go as it should. */
  readonly play: (scene: Scene) => Promise<void>;
  /** Its healing changes who is active: what comes then is none of the fault's, and is not measured. */
  readonly healMoves?: boolean;
  /** Takes away whatever the fault has left, also when it went astray. */
  readonly heal?: (scene: Scene) => Promise<void>;
  /** The harness itself is tried: an overlap must be found. */
  readonly mustOverlap?: boolean;
};
