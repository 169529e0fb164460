import { createServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { beginHandshake, tryHandshake } from "../../../scripts/lightning/handshake.ts";

// "transport-initiator successful handshake" and the failing acts of BOLT 8, appendix A.
const nodeId = "028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7";
const begin = () => beginHandshake(nodeId, Buffer.alloc(32, 0x12));
const actTwo =
  "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae";

test("act one equals the test vector of BOLT 8", () => {
  expect(begin().actOne.toString("hex")).toBe(
    "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a",
  );
});

describe("act two", () => {
  test("of the test vector is accepted", () => {
    expect(begin().isActTwo(Buffer.from(actTwo, "hex"))).toBe(true);
  });

  test.each([
    ["a short read", actTwo.slice(0, -2)],
    ["a bad version", `01${actTwo.slice(2)}`],
    ["a bad key", `0004${actTwo.slice(4)}`],
    ["a bad tag", actTwo.replace(/ae$/, "af")],
    ["the answer of another program", Buffer.from("HTTP/1.1 400 Bad Request\r\n".repeat(3)).toString("hex")],
  ])("with %s is refused", (_, bytes) => {
    expect(begin().isActTwo(Buffer.from(bytes, "hex"))).toBe(false);
  });
});

describe("an endpoint", () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const listen = async (answer: Buffer | undefined): Promise<number> => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (answer !== undefined) socket.end(answer);
    });
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return (server.address() as AddressInfo).port;
  };

  test.each([
    ["accepts a connection and sends nothing", undefined, "late"],
    ["closes the connection", Buffer.alloc(0), "cut"],
    ["sends 50 bytes that are no second act", Buffer.alloc(50, 2), "cut"],
  ] as const)("that %s does not answer", async (_, answer, outcome) => {
    expect(await tryHandshake(nodeId, "127.0.0.1", await listen(answer), 200)).toBe(outcome);
  });

  test("without a listener refuses the connection", async () => {
    const port = await listen(undefined);
    servers[0]?.close();
    expect(await tryHandshake(nodeId, "127.0.0.1", port, 200)).toBe("refused");
  });
});
