import type { Drill } from "./drill.ts";
import { drills as baseline } from "./faults/baseline.ts";
import { drills as bitcoind } from "./faults/bitcoind/local.ts";
import { drills as channels } from "./faults/channels.ts";
import { drills as clocks } from "./faults/clocks.ts";
import { drills as database } from "./faults/database.ts";
import { drills as dependencies } from "./faults/dependencies.ts";
import { drills as duringRotation } from "./faults/rotation/interrupted.ts";
import { drills as frozenEclair } from "./faults/frozen-eclair.ts";
import { drills as load } from "./faults/load.ts";
import { drills as loadBalancer } from "./faults/load-balancer.ts";
import { drills as networks } from "./faults/networks.ts";
import { drills as remoteBitcoinds } from "./faults/bitcoind/remote.ts";
import { drills as rotations } from "./faults/rotation/rotate.ts";
import { drills as silence } from "./faults/silence.ts";
import { drills as processes } from "./faults/processes.ts";

/** Every drill, in the order of execution. */
export const catalogue: readonly Drill[] = [
  ...processes,
  ...rotations,
  ...duringRotation,
  ...baseline,
  ...frozenEclair,
  ...networks,
  ...database,
  ...silence,
  ...dependencies,
  ...bitcoind,
  ...remoteBitcoinds,
  ...load,
  ...loadBalancer,
  ...clocks,
  ...channels,
];
