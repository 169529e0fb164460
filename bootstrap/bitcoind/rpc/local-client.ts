import { ports } from "../../contract/ports.ts";
import type { Credentials } from "../../secrets/shapes.ts";
import { localEndpoint } from "../endpoints.ts";
import type { BitcoindClient } from "./client.ts";
import { clientOf, Transport } from "./transport.ts";

/** A client of this host's bitcoind. Some calls last for hours, so each call has a connection of its own. */
export function localClient(login: Credentials, rpcPort: number = ports.bitcoindRpc): BitcoindClient {
  const endpoint = { ...localEndpoint({ eclair: login, gate: login }), rpcPort };
  return clientOf(new Transport(endpoint), login, { fresh: true });
}
