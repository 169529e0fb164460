import { readFileSync } from "node:fs";
import { localEndpoint } from "../bitcoind/endpoints.ts";
import { readIndexRepair } from "../bitcoind/index-commands.ts";
import type { BitcoindClient } from "../bitcoind/rpc/client.ts";
import { clientOf, Transport } from "../bitcoind/rpc/transport.ts";
import { ChainVerification } from "../contract/chain/verification.ts";
import { messageOf } from "../contract/errors.ts";
import { verificationMark, type ChainVerificationResult } from "../contract/reports/chain-verification.ts";
import { loadInstance } from "../imds/identity.ts";
import { paths } from "../os/paths.ts";
import { run } from "../os/run.ts";
import { readJournal, readUnits } from "../os/systemd.ts";
import { networks } from "../render/networks.ts";
import { rebuiltIndexes, verifyChain, type Verification } from "./verify.ts";

const metadataMilliseconds = 10_000;
const unit = "bitcoind.service";
const shownLines = 3;

/** Verifies the chain on the copy of a snapshot, and writes one line of JSON to the console. */
export async function verifyChainVolume(): Promise<boolean> {
  const document = ChainVerification.parse(JSON.parse(readFileSync(paths.chainVerification, "utf8")));
  const { identity } = await loadInstance(metadataMilliseconds);
  const { problems, transactions } = await verify(document);
  const result: ChainVerificationResult = {
    id: document.id,
    instanceId: identity.instanceId,
    problems: [...problems],
    transactions,
  };
  console.log(verificationMark + JSON.stringify(result));
  return problems.length === 0;
}

async function verify({ chain, facts }: ChainVerification): Promise<Verification> {
  // No instance would use a volume from this snapshot.
  if (readIndexRepair()?.state === "broken")
    return { problems: ["the snapshot contains an index that was corrupt twice"], transactions: 0 };
  try {
    // The command ends when bitcoind answers, or when its first start fails.
    await run("systemctl", ["start", unit]);
  } catch {
    const reason = await lastMessages();
    await run("systemctl", ["stop", unit], { allowFailure: true });
    return { problems: [`bitcoind does not start with this volume: ${reason}`], transactions: 0 };
  }
  const { problems, transactions } = await verifyChain(cookieClient(chain), facts, Math.random);
  return { problems: [...problems, ...rebuiltIndexes(await readLog())], transactions };
}

async function readLog(): Promise<string> {
  const [state] = await readUnits([unit]);
  return await readJournal(state?.invocationId ?? "");
}

/** The last messages of a bitcoind that ended. */
async function lastMessages(): Promise<string> {
  try {
    const lines = (await readLog()).split("\n");
    const errors = lines.filter((line) => /error|corrupt/i.test(line));
    return (errors.length > 0 ? errors : lines).slice(-shownLines).join("; ");
  } catch (error) {
    return messageOf(error);
  }
}

/** A client with the login that bitcoind creates at each start. */
function cookieClient(chain: ChainVerification["chain"]): BitcoindClient {
  const { folder, rpcPort } = networks[chain];
  const [username = "", password = ""] = readFileSync(`${paths.chain}/${folder}.cookie`, "utf8").split(":");
  const login = { username, password };
  const endpoint = { ...localEndpoint({ eclair: login, gate: login }), rpcPort };
  return clientOf(new Transport(endpoint), login, { fresh: true });
}
