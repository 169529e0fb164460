import { CreateTagsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { execa } from "execa";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { layout } from "../../scripts/lab/paths.ts";
import { cli, eventually } from "./cli.ts";
import { TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const imageId = inject("images")[0]?.id ?? "";

describe("snapshots of a chain volume", () => {
  let nodes: Cluster;
  let ids: string[];
  let snapshotId = "";

  const chain = (...args: string[]) => cli(["chain", ...args, "--state", state]);
  const listed = async () =>
    (JSON.parse((await chain("list", "--cluster", nodes.name, "--json")).stdout) as Listed[]).find(
      (snapshot) => snapshot.snapshotId === snapshotId,
    );
  type Listed = { snapshotId: string; verifiedAt?: string; facts: { height: number; indexes: string[] } };
  const latest = () => ({ chainVolume: { ...nodes.configuration.chainVolume, snapshotId: "latest" } });

  beforeAll(async () => {
    nodes = await cluster(state, "chain", imageId);
    ids = [await nodes.launch(imageId), await nodes.launch(imageId)];
    await pairOf(nodes, ids);
    await new TestMiner(nodes.lab).mine(12);
  });
  afterAll(async () => {
    for (const id of ids) await nodes.terminate(id);
  });

  test("is created from a standby only, and the active instance is not affected", async () => {
    const pair = await pairOf(nodes, ids);
    const holder = () => nodes.sql("select instance from lease");
    const before = await holder();
    const refused = await chain("snapshot", "--cluster", nodes.name);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(`${pair.standby} is the only ready standby`);
    const active = await chain("snapshot", "--cluster", nodes.name, "--instance", pair.active, "--force");
    expect(active.stderr).toContain(`${pair.active} is not a ready standby`);

    const created = await chain("snapshot", "--cluster", nodes.name, "--force", "--json");
    expect(created.stderr).toBe("");
    ({ snapshotId } = JSON.parse(created.stdout) as { snapshotId: string });
    expect(await holder()).toBe(before);
    expect(await pairOf(nodes, ids)).toEqual(pair);
    expect(await listed()).toMatchObject({ facts: { chain: "regtest", indexes: ["txindex"] } });
  });

  test("is used by `latest` only after it was verified", async () => {
    await expect(nodes.launch(imageId, latest())).rejects.toThrow(/no verified snapshot of regtest exists/);
    const verified = await chain("verify", snapshotId, "--image", imageId);
    expect(verified.all).toContain(`${snapshotId} is as described: regtest at block`);
    expect((await listed())?.verifiedAt).toBeDefined();

    const id = await nodes.launch(imageId, latest());
    ids.push(id);
    await eventually("the new instance to be a ready standby", async () => {
      const report = (await nodes.status(id))?.report;
      return report?.role === "standby" && report.ready ? true : undefined;
    });
    const log = await nodes.inGuest(id, "journalctl -u eclair-bootstrap -o cat --no-pager");
    expect(log.stdout).toContain(`"event":"volume.from-snapshot","snapshotId":"${snapshotId}"`);
    const kept = await chain("prune", "--cluster", nodes.name, "--keep", "1");
    expect(kept.stdout).toMatch(new RegExp(`^${snapshotId} at block \\d+: kept`));
  });

  /** Changes a file of the snapshot, verifies it, and restores the snapshot. */
  async function verifyChanged(script: string): Promise<string> {
    const file = layout.snapshot(nodes.lab, snapshotId);
    const folder = mkdtempSync(join(tmpdir(), "eclair-ami-snapshot-"));
    // The file is as large as the volume, and nearly empty.
    const copy = (from: string, to: string) => execa("cp", ["--reflink=auto", "--sparse=always", from, to]);
    await copy(file, `${file}.original`);
    try {
      await execa("unshare", [
        ...["--mount", "sh", "-ec"],
        `mount -o loop '${file}' '${folder}'; cd '${folder}/regtest'; ${script}; cd /; umount '${folder}'`,
      ]);
      const result = await chain("verify", snapshotId, "--image", imageId);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("do not use this snapshot: delete it");
      return result.stderr;
    } finally {
      await copy(`${file}.original`, file);
      await execa("rm", [`${file}.original`]);
      rmdirSync(folder);
    }
  }

  test("a flipped byte in the chainstate is found", async () => {
    const flip = `file=$(ls -S chainstate/*.ldb chainstate/*.log 2>/dev/null | head -n 1)
      at=$(($(stat -c %s "$file") / 3))
      byte=$(od -An -tu1 -j $at -N 1 "$file")
      printf "\\\\$(printf %03o $((byte ^ 255)))" | dd of="$file" bs=1 seek=$at conv=notrunc status=none`;
    expect(await verifyChanged(flip)).toMatch(
      /does not start with this volume|cannot read the chain|muhash is/,
    );
  });

  test("a missing file of txindex is found", async () => {
    const remove = `rm "$(ls -S indexes/txindex/*.ldb indexes/txindex/*.log 2>/dev/null | head -n 1)"`;
    expect(await verifyChanged(remove)).toMatch(/does not start with this volume|txindex/);
  });

  test("a snapshot of another chain is found", async () => {
    const tag = (Value: string) =>
      nodes.target
        .client(EC2Client)
        .send(new CreateTagsCommand({ Resources: [snapshotId], Tags: [{ Key: tags.chain, Value }] }));
    await tag("signet");
    const result = await chain("verify", snapshotId, "--image", imageId);
    await tag("regtest");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/contains regtest, and the node's chain is signet/);
  });

  test("a snapshot that does not exist is refused", async () => {
    const result = await chain("verify", "snap-00000000", "--image", imageId);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("have no snapshot of a chain volume with that id");
  });
});
