import { expect, test } from "vitest";
import { chains } from "../../bootstrap/config/node.ts";
import { parseConfiguration } from "../../bootstrap/config/parse.ts";
import { setupStartingPoint, startingPoint } from "../../scripts/nodes/starting-point.ts";

/** What a user fills in. */
function filled(text: string): string {
  return text
    .replaceAll("REGION", "eu-west-1")
    .replaceAll("RDS-SECRET-ARN", "rds!db-1")
    .replaceAll("CLUSTER", "demo")
    .replaceAll("02…", `02${"ab".repeat(32)}`);
}

test.each(chains)("the starting point for %s needs nothing but its capitals replaced", (chain) => {
  const { configuration, problems } = parseConfiguration(filled(startingPoint(chain)));
  expect(problems).toBeUndefined();
  expect(configuration).toMatchObject({ kind: "Node", chain, cluster: "demo" });
});

test.each(chains)("what the set-up on %s must know needs nothing but its capitals replaced", (chain) => {
  const { configuration, problems } = parseConfiguration(filled(setupStartingPoint(chain)));
  expect(problems).toBeUndefined();
  expect(configuration).toMatchObject({ kind: "ClusterSetup", chain, cluster: "demo" });
});

test("as it comes, it is refused where something is to be filled in", () => {
  const paths = parseConfiguration(startingPoint("signet")).problems?.map(({ path }) => path);
  expect(paths).toEqual(["cluster", "nodeId"]);
});
