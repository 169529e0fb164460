// Runs in the network of the lab. Ends with code 0 when the node answers the handshake at an address, and with 1 otherwise.
import { tryHandshake } from "./handshake.ts";

const timeoutMilliseconds = 3_000;

const [nodeId = "", host = "", port = ""] = process.argv.slice(2);
const outcome = await tryHandshake(nodeId, host, Number(port), timeoutMilliseconds);
process.exitCode = outcome === "answered" ? 0 : 1;
