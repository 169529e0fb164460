// Listens at an address and port, prints `ready`, and sends and prints every message that it receives.
import { createServer } from "node:net";

const [host = "", port = ""] = process.argv.slice(2);
createServer((session) => {
  session.on("error", () => undefined);
  session.on("data", (data) => {
    console.log(data.toString());
    session.write(data);
  });
}).listen({ host, port: Number(port), backlog: 100 }, () => console.log("ready"));
