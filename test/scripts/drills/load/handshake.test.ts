import { expect, test } from "vitest";
import { actOne } from "../../../../scripts/drills/load/handshake.ts";

// "transport-initiator successful handshake", BOLT 8, appendix A.
test("act one equals the test vector of BOLT 8", () => {
  const nodeId = "028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7";
  expect(actOne(nodeId, Buffer.alloc(32, 0x12)).toString("hex")).toBe(
    "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a",
  );
});
