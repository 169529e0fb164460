import { expect, test } from "vitest";
import { chains } from "../../../../bootstrap/contract/configuration/node.ts";
import { parseConfiguration } from "../../../../bootstrap/contract/configuration/parse.ts";
import { exampleClusterSetup, exampleNode } from "../../../../scripts/cluster/configuration/example.ts";

/** The example after a user replaced the words in capitals. */
function filled(text: string): string {
  return text
    .replaceAll("REGION", "eu-west-1")
    .replaceAll("RDS-SECRET-ARN", "rds!db-1")
    .replaceAll("CLUSTER", "demo")
    .replaceAll("02…", `02${"ab".repeat(32)}`);
}

test.each(chains)(
  "the example of a node on %s is valid after its words in capitals are replaced",
  (chain) => {
    const { configuration, problems } = parseConfiguration(filled(exampleNode(chain)));
    expect(problems).toBeUndefined();
    expect(configuration).toMatchObject({ kind: "Node", chain, cluster: "demo" });
  },
);

test.each(chains)(
  "the example of a cluster setup on %s is valid after its words in capitals are replaced",
  (chain) => {
    const { configuration, problems } = parseConfiguration(filled(exampleClusterSetup(chain)));
    expect(problems).toBeUndefined();
    expect(configuration).toMatchObject({ kind: "ClusterSetup", chain, cluster: "demo" });
  },
);

test("the unchanged example is refused where a word must be replaced", () => {
  const paths = parseConfiguration(exampleNode("signet")).problems?.map(({ path }) => path);
  expect(paths).toEqual(["cluster", "nodeId"]);
});
