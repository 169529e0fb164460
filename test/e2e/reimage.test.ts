import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { describe, expect, inject, test } from "vitest";
import { jdbcUrl } from "../../bootstrap/database/url.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const replacements = 10;

describe.each(inject("images"))("with the $eclair Eclair", ({ eclair, id: imageId }) => {
  test(`a node re-imaged ${replacements} times stays the same node`, { timeout: 600_000 }, async () => {
    const nodes = await cluster(state, `reimage-${eclair}`, imageId);
    let id = await nodes.launch(imageId);
    await nodes.waitUntilActive(id);
    const invoice = (await nodes.api(id, "createinvoice", "description=first&amountMsat=1000")) as {
      paymentHash: string;
    };
    const volumes = new Set<string>();

    for (let count = 1; count <= replacements; count += 1) {
      await nodes.terminate(id);
      // A larger size in the configuration enlarges the existing volume.
      const chainVolume = { ...nodes.configuration.chainVolume, sizeGibibytes: count < replacements ? 2 : 3 };
      id = await nodes.launch(imageId, { chainVolume });
      const status = await nodes.waitUntilActive(id);
      expect(status.report?.eclair.info?.nodeId).toBe(nodes.configuration.nodeId);
      const guest = await nodes.inGuest(
        id,
        'cat /run/eclair/regtest/last_jdbcurl; echo; blkid --match-tag UUID --output value /dev/sdf; journalctl --no-pager --priority=warning --unit=eclair-bootstrap --unit=eclair-supervisor --unit=eclair-target --unit=bitcoind --quiet; journalctl --no-pager --output=cat --unit=eclair-bootstrap --grep \'"level":"(warn|error)"\' --quiet',
      );
      const [url, volume, ...warnings] = guest.stdout.split("\n");
      expect(url).toBe(jdbcUrl(nodes.configuration));
      expect(volume).toMatch(/^[0-9a-f-]{36}$/);
      volumes.add(volume ?? "");
      expect(warnings.filter((line) => line !== "")).toEqual([]);
      const { TargetHealthDescriptions } = await nodes.target
        .client(ElasticLoadBalancingV2Client)
        .send(new DescribeTargetHealthCommand({ TargetGroupArn: nodes.configuration.targetGroupArns[0] }));
      expect(TargetHealthDescriptions?.map((description) => description.Target?.Id)).toEqual([id]);
    }

    const size = await nodes.inGuest(id, "df --output=size --block-size=1M /var/lib/bitcoin | tail -n 1");
    expect(Number(size.stdout)).toBeGreaterThan(2_700);
    const retained = (await nodes.api(
      id,
      "getinvoice",
      `paymentHash=${invoice.paymentHash}`,
    )) as typeof invoice;
    expect(retained.paymentHash).toBe(invoice.paymentHash);
    expect(volumes.size).toBe(1);
    await nodes.terminate(id);
  });
});
