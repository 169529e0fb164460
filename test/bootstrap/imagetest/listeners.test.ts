import { expect, test } from "vitest";
import { openPorts } from "../../../bootstrap/imagetest/listeners.ts";

const row = (address: string, port: string, state = "0A") =>
  `   0: ${address}:${port} 00000000:0000 ${state} 00000000`;

test("ignores ports that listen on loopback only, in both families", () => {
  const table = ["header", row("0100007F", "4A3B"), row("00000000000000000000000001000000", "4A3B")].join(
    "\n",
  );
  expect(openPorts(table)).toEqual([]);
});

test("reports ports that listen on every address, or on an address that other hosts can reach", () => {
  const table = [
    "header",
    row("00000000", "0016"),
    row("04004064", "2607"),
    row("00000000", "1F90", "01"),
  ].join("\n");
  expect(openPorts(table)).toEqual([22, 9735]);
});
