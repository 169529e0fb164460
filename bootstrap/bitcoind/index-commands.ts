import { existsSync, readFileSync } from "node:fs";
import { writeDurably } from "../os/files.ts";
import { logError, logEvent } from "../os/log.ts";
import { paths } from "../os/paths.ts";
import { readJournal } from "../os/systemd.ts";
import { IndexRepair, optionsFor, repairAfter } from "./index-repair.ts";

const rootOnly = { uid: 0, gid: 0, mode: 0o644 } as const;

/** What is known about the index on the chain volume. A damaged file must not keep bitcoind from its start. */
export function readIndexRepair(): IndexRepair | undefined {
  if (!existsSync(paths.indexRepair)) return undefined;
  try {
    return IndexRepair.parse(JSON.parse(readFileSync(paths.indexRepair, "utf8")));
  } catch (error) {
    logError("bitcoind.index-unknown", error);
    return undefined;
  }
}

/** Before bitcoind starts: writes its options for the unit. */
export function prepareIndex(): void {
  const previous = readIndexRepair();
  const { options, next } = optionsFor(previous, new Date());
  if (next !== undefined && next !== previous) {
    writeDurably(paths.indexRepair, JSON.stringify(next), rootOnly);
    logEvent("bitcoind.reindexes", {}, "warn");
  }
  writeDurably(paths.bitcoindEnvironment, `BITCOIND_OPTS="${options}"\n`, rootOnly);
}

/** After bitcoind has ended: requests a new index when the index was corrupt. systemd sets both variables. */
export async function checkIndex(): Promise<void> {
  const { SERVICE_RESULT: result, INVOCATION_ID: invocationId = "" } = process.env;
  if (result === "success") return;
  const next = repairAfter(readIndexRepair(), await readJournal(invocationId), new Date());
  if (next === undefined) return;
  writeDurably(paths.indexRepair, JSON.stringify(next), rootOnly);
  logEvent("bitcoind.index-corrupt", { next: next.state }, "warn");
}
