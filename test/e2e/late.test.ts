import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { failover } from "../../scripts/lab-cluster/failover.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");

describe.each(inject("images"))(
  "a pair that arms Eclair only before the lease expires ($eclair)",
  ({ eclair, id: imageId }) => {
    let nodes: Cluster;
    let ids: readonly string[] = [];

    beforeAll(async () => {
      nodes = await cluster(state, `late-${eclair}`, imageId);
      const armBeforeExpiry = { failover: { armed: false } };
      const first = await nodes.launch(imageId, armBeforeExpiry);
      await nodes.waitUntilActive(first);
      ids = [first, await nodes.launch(imageId, armBeforeExpiry)];
    });
    afterAll(async () => {
      await Promise.all(ids.map((id) => nodes.terminate(id)));
    });

    const currentPair = () => pairOf(nodes, ids);

    test("the standby is ready, and runs no Eclair", async () => {
      const { standby } = await currentPair();
      const status = await nodes.status(standby);
      expect(status?.report?.eclair).toMatchObject({ state: "stopped", armed: "no", armBeforeExpiry: true });
      expect((await nodes.inGuest(standby, "pgrep -u eclair || true")).stdout).toBe("");
    });

    test("the standby has Eclair's files in the page cache", async () => {
      const { standby } = await currentPair();
      const sizes = await nodes.inGuest(
        standby,
        `java=$(dirname "$(readlink --canonicalize /usr/bin/java)")/../lib
       stat --dereference --format=%s "$java/modules" "$java/server/libjvm.so" $(ls /opt/eclair/*.aot || true) /opt/eclair/lib/*.jar |
         awk '{ files += 1; bytes += $1 } END { print files, bytes }'`,
      );
      const line = await nodes.inGuest(
        standby,
        `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='page-cache.warmed'`,
      );
      const [files, bytes] = sizes.stdout.split(" ").map(Number);
      expect(JSON.parse(line.stdout)).toMatchObject({ files, bytes });
    });

    test("`switchover` accepts this standby", async () => {
      const { active, standby } = await currentPair();
      const run = await cli(["switchover", "--state", state, "--cluster", nodes.name, "--json"]);
      expect(run.exitCode, run.all).toBe(0);
      expect(await currentPair()).toEqual({ active: standby, standby: active });
    });

    test("a standby whose Eclair refuses a setting is not ready, and shows Eclair's error", async () => {
      const refused = await nodes.launch(imageId, {
        failover: { armed: false },
        eclair: { settings: { "channel.min-depth-blocks": 2 } },
      });
      const status = await eventually("Eclair to refuse its configuration", async () => {
        const current = await nodes.status(refused);
        return current?.report?.reasons.some((reason) => reason.includes("refuses")) ? current : undefined;
      });
      expect(status.report).toMatchObject({ role: "standby", ready: false });
      expect(status.report?.reasons.join("; ")).toMatch(
        /Eclair refuses its configuration: .*requirement failed: channel\.min-depth-blocks must be at least 6/,
      );
      await nodes.terminate(refused);
    });

    test("an Eclair that is started before the lease expires takes over the lease", async () => {
      const pair = await currentPair();
      // Without the mask, the host of the frozen Eclair starts another one when it has killed it, and can be the first.
      const units = "eclair@a.service eclair@b.service";
      await failover(nodes.lab, pair, `systemctl mask --runtime ${units}; pkill -STOP -u eclair`);
      await nodes.inGuest(pair.active, `systemctl unmask --runtime ${units}`);
      const log = await nodes.inGuest(
        pair.standby,
        "journalctl --no-pager --output=cat --unit=eclair-supervisor",
      );
      const lines = log.stdout.split("\n");
      const taken = lines.findLastIndex((line) => line.includes('"role":"starting"'));
      const armed = lines.findLastIndex((line) => line.includes('"event":"guard.checked","before":"arm"'));
      expect(armed).toBeGreaterThan(-1);
      expect(armed).toBeLessThan(taken);
      expect(await currentPair()).toEqual({ active: pair.standby, standby: pair.active });
    });
  },
);
