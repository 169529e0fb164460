// Mines one regtest block every half minute, to an address that nobody can spend from.
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../core/failure.ts";
import { rpc } from "./rpc.ts";

/** Often enough to see blocks come, and seldom enough that a standby, which arms a fresh Eclair with each, has time. */
const everyMilliseconds = 30_000;
/** `raw(51)`, a script anyone could spend: regtest coins are worth nothing, and no wallet is needed. */
const descriptor = "raw(51)#8lvh9jxk";

for (;;) {
  try {
    await rpc("generatetodescriptor", [1, descriptor]);
  } catch (error) {
    console.error(`miner: ${messageOf(error)}`);
  }
  await sleep(everyMilliseconds);
}
