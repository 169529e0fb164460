// Runs in the network of the lab. Ends with code 0 when the node answers the handshake at an address, and with 1 otherwise.
import { answersHandshake } from "./handshake.ts";

const timeoutMilliseconds = 3_000;

const [nodeId = "", host = "", port = ""] = process.argv.slice(2);
process.exitCode = (await answersHandshake(nodeId, host, Number(port), timeoutMilliseconds)) ? 0 : 1;
