import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { failover } from "../../scripts/lab/cluster/failover.ts";
import { cli } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");

describe.each(inject("images"))("a pair that arms no Eclair ahead ($eclair)", ({ eclair, id: imageId }) => {
  let nodes: Cluster;
  let ids: readonly string[] = [];

  beforeAll(async () => {
    nodes = await cluster(state, `late-${eclair}`, imageId);
    const late = { failover: { armed: false } };
    const first = await nodes.launch(imageId, late);
    await nodes.active(first);
    ids = [first, await nodes.launch(imageId, late)];
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
  });

  const pair = () => pairOf(nodes, ids);

  test("its standby is ready, and runs no Eclair", async () => {
    const { standby } = await pair();
    const found = await nodes.status(standby);
    expect(found?.state?.eclair).toMatchObject({ unit: "stopped", armed: "no", armsLate: true });
    expect((await nodes.inGuest(standby, "pgrep -u eclair || true")).stdout).toBe("");
  });

  test("it has read beforehand what Eclair will read", async () => {
    const { standby } = await pair();
    const sizes = await nodes.inGuest(
      standby,
      `java=$(dirname "$(readlink --canonicalize /usr/bin/java)")/../lib
       stat --dereference --format=%s "$java/modules" "$java/server/libjvm.so" $(ls /opt/eclair/*.aot || true) /opt/eclair/lib/*.jar |
         awk '{ files += 1; bytes += $1 } END { print files, bytes }'`,
    );
    const line = await nodes.inGuest(
      standby,
      `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='"preread"'`,
    );
    const [files, bytes] = sizes.stdout.split(" ").map(Number);
    expect(JSON.parse(line.stdout)).toMatchObject({ files, bytes });
  });

  test("`switchover` takes it as it is", async () => {
    const { active, standby } = await pair();
    const done = await cli(["switchover", "--state", state, "--cluster", nodes.name, "--json"]);
    expect(done.exitCode, done.all).toBe(0);
    expect(await pair()).toEqual({ active: standby, standby: active });
  });

  test("a lease that runs out is taken over, by an Eclair that was started ahead", async () => {
    const both = await pair();
    await failover(nodes.lab, both, "pkill -STOP -u eclair");
    const log = await nodes.inGuest(
      both.standby,
      "journalctl --no-pager --output=cat --unit=eclair-supervisor",
    );
    const lines = log.stdout.split("\n");
    const taken = lines.findLastIndex((line) => line.includes('"role":"starting"'));
    const armed = lines.findLastIndex((line) => line.includes('"guard","before":"arm"'));
    expect(armed).toBeGreaterThan(-1);
    expect(armed).toBeLessThan(taken);
    expect(await pair()).toEqual({ active: both.standby, standby: both.active });
  });
});
