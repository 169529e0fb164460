import { expect, test } from "vitest";
import { chains } from "../../../../bootstrap/contract/configuration/node.ts";
import { parseConfiguration } from "../../../../bootstrap/contract/configuration/parse.ts";
import { exampleClusterSetup, exampleNode } from "../../../../scripts/cluster/configuration/example.ts";
import { filledExample } from "../../../support/example-node.ts";

test.each(chains)(
  "the example of a node on %s is valid after its words in capitals are replaced",
  (chain) => {
    const { configuration, problems } = parseConfiguration(filledExample(exampleNode(chain)));
    expect(problems).toBeUndefined();
    expect(configuration).toMatchObject({ kind: "Node", chain, cluster: "demo" });
  },
);

test.each(chains)(
  "the example of a cluster setup on %s is valid after its words in capitals are replaced",
  (chain) => {
    const { configuration, problems } = parseConfiguration(filledExample(exampleClusterSetup(chain)));
    expect(problems).toBeUndefined();
    expect(configuration).toMatchObject({ kind: "ClusterSetup", chain, cluster: "demo" });
  },
);

test("the unchanged example is refused where a word must be replaced", () => {
  const paths = parseConfiguration(exampleNode("signet")).problems?.map(({ path }) => path);
  expect(paths).toEqual(["cluster", "nodeId"]);
});
