// Mines one regtest block every 30 seconds.
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { anyoneDescriptor, minerRpc } from "./rpc.ts";

/** A standby replaces its armed Eclair with each block and needs time for it. */
const intervalMilliseconds = 30_000;
const timeoutMilliseconds = 30_000;

for (;;) {
  try {
    await minerRpc("generatetodescriptor", [1, anyoneDescriptor], { milliseconds: timeoutMilliseconds });
  } catch (error) {
    console.error(`miner: ${messageOf(error)}`);
  }
  await sleep(intervalMilliseconds);
}
