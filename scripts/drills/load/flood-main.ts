// Opens connections to a door that send nothing, and connections that begin a handshake and read nothing, for some seconds. Prints
// how many connections were opened. Runs in the network of another host.
import { connect } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { beginHandshake } from "../../lightning/handshake.ts";

const intervalMilliseconds = 5;
/** A door closes a silent connection after ten seconds, and must reach its limit of 2,048 connections earlier. */
const connectionsPerSecond = 400;
/** Every so many connections, one begins a handshake. */
const handshakeEvery = 20;

const [nodeId = "", address = "", seconds = ""] = process.argv.slice(2);
const start = performance.now();
const elapsedSeconds = () => (performance.now() - start) / 1000;
let opened = 0;
for (let count = 0; elapsedSeconds() < Number(seconds); count += 1) {
  // On a busy machine, a pause is longer, and more connections follow at once.
  do await (count > elapsedSeconds() * connectionsPerSecond ? sleep(intervalMilliseconds) : setImmediate());
  while (count > elapsedSeconds() * connectionsPerSecond);
  const socket = connect({ host: address, port: ports.lightning }, () => {
    opened += 1;
    socket.pause();
    if (count % handshakeEvery === 0) socket.write(beginHandshake(nodeId).actOne);
  });
  socket.on("error", () => undefined);
}
console.log(opened);
process.exit();
