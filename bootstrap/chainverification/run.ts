import { readFileSync } from "node:fs";
import { readIndexRepair } from "../bitcoind/index-commands.ts";
import { isIndexCorrupt } from "../bitcoind/index-repair.ts";
import type { BitcoindClient } from "../bitcoind/rpc/client.ts";
import { localClient } from "../bitcoind/rpc/local-client.ts";
import { ChainVerification } from "../contract/chain/verification.ts";
import { messageOf } from "../contract/errors.ts";
import { verificationMark, type ChainVerificationResult } from "../contract/reports/chain-verification.ts";
import { loadInstance } from "../imds/identity.ts";
import { paths } from "../os/paths.ts";
import { run } from "../os/run.ts";
import { readJournal, readUnits, syncJournal } from "../os/systemd.ts";
import { networks } from "../render/networks.ts";
import { rebuiltIndexes, verifyChain, type Verification } from "./verify.ts";

const metadataMilliseconds = 10_000;
const unit = "bitcoind.service";
const shownLines = 3;
/** bitcoind ends when an index belongs to other blocks (`BaseIndex::Init` in its src/index/base.cpp). */
const foreignIndex = /Please rebuild the index/;

/** Verifies the chain on the copy of a snapshot, and writes one line of JSON to the console. */
export async function verifyChainVolume(): Promise<boolean> {
  const document = ChainVerification.parse(JSON.parse(readFileSync(paths.chainVerification, "utf8")));
  const { identity } = await loadInstance(metadataMilliseconds);
  const verification = await verify(document).catch((error: unknown) => notVerified(messageOf(error)));
  const result: ChainVerificationResult = {
    id: document.id,
    instanceId: identity.instanceId,
    ...verification,
  };
  console.log(verificationMark + JSON.stringify(result));
  return verification.problems.length === 0 && verification.failure === undefined;
}

async function verify({ chain, facts }: ChainVerification): Promise<Verification> {
  // No instance would use a volume from this snapshot.
  if (readIndexRepair()?.state === "broken")
    return { problems: ["the snapshot contains an index that was corrupt twice"], transactions: 0 };
  try {
    // The command ends when bitcoind answers, or when its first start fails.
    await run("systemctl", ["start", unit]);
  } catch {
    const log = await readLog().catch(messageOf);
    await run("systemctl", ["stop", unit], { allowFailure: true });
    return resultWithoutAnswer(log, `bitcoind does not start with this volume: ${lastMessages(log)}`);
  }
  let verification: Verification;
  try {
    verification = await verifyChain(cookieClient(chain), facts, Math.random);
  } catch (error) {
    // bitcoind ends when it finds a corrupt index.
    const log = await readLog().catch(messageOf);
    return resultWithoutAnswer(
      log,
      `bitcoind cannot read the chain: ${messageOf(error)}; ${lastMessages(log)}`,
    );
  }
  const { problems, transactions } = verification;
  return { problems: [...problems, ...rebuiltIndexes(await readLog())], transactions };
}

/** The result when bitcoind ended or did not answer. Only a corrupt index shows a problem with the snapshot. */
function resultWithoutAnswer(log: string, reason: string): Verification {
  const isCorrupt = isIndexCorrupt(log) || foreignIndex.test(log);
  return isCorrupt ? { problems: [reason], transactions: 0 } : notVerified(reason);
}

const notVerified = (failure: string): Verification => ({ problems: [], failure, transactions: 0 });

/** The log of bitcoind since its last start. */
async function readLog(): Promise<string> {
  await syncJournal();
  const [state] = await readUnits([unit]);
  return await readJournal(state?.invocationId ?? "");
}

function lastMessages(log: string): string {
  const lines = log.trim().split("\n");
  const errors = lines.filter((line) => /error|corrupt/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-shownLines).join("; ");
}

/** A client with the login that bitcoind creates at each start. */
function cookieClient(chain: ChainVerification["chain"]): BitcoindClient {
  const { folder, rpcPort } = networks[chain];
  const [username = "", password = ""] = readFileSync(`${paths.chain}/${folder}.cookie`, "utf8").split(":");
  return localClient({ username, password }, rpcPort);
}
