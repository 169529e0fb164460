import { DeleteAutoScalingGroupCommand } from "@aws-sdk/client-auto-scaling";
import {
  CreateImageCommand,
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeVolumesCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { CreateDBSnapshotCommand } from "@aws-sdk/client-rds";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { clusterTag } from "../../bootstrap/aws/tags.ts";
import { lastHolder } from "../../scripts/lab/cluster/failover.ts";
import { labGroup } from "../../scripts/lab/cluster/group.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { endMember, groupOf } from "../../scripts/nodes/group.ts";
import { nodeStatuses } from "../../scripts/nodes/status.ts";
import { booted, cli, eventually, inGuest } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const unhealthyAfterSeconds = 60;

describe.each(inject("images"))("an Auto Scaling group of one node ($eclair)", ({ eclair, id: imageId }) => {
  const name = `scaled-${eclair}`;
  let nodes: Cluster;

  beforeAll(async () => {
    nodes = await cluster(state, name, imageId);
    const document = parse(readFileSync(nodes.file, "utf8")) as object;
    writeFileSync(nodes.file, stringify({ ...document, failover: { unhealthyAfterSeconds } }));
    const facts = readFacts(nodes.lab);
    if (facts === undefined) throw new Error("the lab is not up");
    await labGroup(facts, nodes.target, { name, imageId, configurationFile: nodes.file });
  });
  afterAll(async () => {
    await nodes.target.scaling.send(
      new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: name, ForceDelete: true }),
    );
  });

  const group = () => groupOf(nodes.target, name);
  /** The pair, once the group has two members in service that are one. */
  const pair = () =>
    eventually(
      "two instances in service",
      async () => {
        const { members } = await group();
        if (members.length !== 2 || members.some(({ lifecycle }) => lifecycle !== "InService"))
          return undefined;
        return await pairOf(
          nodes,
          members.map(({ instanceId }) => instanceId),
        );
      },
      120,
    );
  const volumes = async () => {
    const { Volumes = [] } = await nodes.target.ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: `tag:${clusterTag}`, Values: [name] }] }),
    );
    return new Set(Volumes.map(({ VolumeId }) => VolumeId));
  };
  const replace = (...flags: string[]) => cli(["replace", "--state", state, "--cluster", name, ...flags]);
  /** The images of the group's members; one on its way out may still wait for its hook. */
  const imagesIn = async () => {
    const { members } = await group();
    return (await nodeStatuses(nodes.target, { cluster: name }))
      .filter((status) => members.some(({ instanceId }) => instanceId === status.instanceId))
      .map((status) => status.imageId);
  };

  /** An image like the one under test, but for what a script has done to it. */
  const changed = async (script: string): Promise<string> => {
    const { ec2 } = nodes.target;
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: imageId,
        MinCount: 1,
        MaxCount: 1,
        InstanceType: "t3.medium",
        SubnetId: nodes.target.instance.subnetId,
        MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      }),
    );
    const id = Instances?.[0]?.InstanceId ?? "";
    await booted(state, id);
    await inGuest(state, id, `${script}; sync`);
    const { ImageId = "" } = await ec2.send(
      new CreateImageCommand({ InstanceId: id, Name: `like ${imageId}: ${id}` }),
    );
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    await ec2.send(new CreateTagsCommand({ Resources: [ImageId], Tags: Images?.[0]?.Tags ?? [] }));
    await nodes.terminate(id);
    return ImageId;
  };

  /** Makes invoices on whichever instance is active, until it is stopped; gives their hashes and the longest pause. */
  const load = () => {
    const hashes: string[] = [];
    const stop = new AbortController();
    let longest = 0;
    const running = (async () => {
      let last = performance.now();
      while (!stop.signal.aborted) {
        const holder = await lastHolder(nodes.sql);
        const active = (await nodeStatuses(nodes.target, { cluster: name })).find(
          ({ address, instance }) => address === holder && instance === "running",
        );
        const made = await nodes
          .api(active?.instanceId ?? "", "createinvoice", "description=load&amountMsat=1000")
          .catch(() => undefined);
        if (made === undefined) {
          await sleep(50);
          continue;
        }
        hashes.push((made as { paymentHash: string }).paymentHash);
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
    })();
    return async () => {
      stop.abort();
      await running;
      return { hashes, longest };
    };
  };

  test("two instances in two zones complete their hooks, one active and one standing by", async () => {
    const { active, standby } = await pair();
    const statuses = await nodeStatuses(nodes.target, { cluster: name });
    expect(new Set(statuses.map(({ zone }) => zone)).size).toBe(2);
    for (const id of [active, standby]) {
      const log = await nodes.inGuest(
        id,
        "journalctl --no-pager --output=cat --unit=eclair-supervisor --grep=auto-scaling",
      );
      expect(log.stdout).toMatch(/"completed":"eclair-ami-launching"/);
    }
    expect((await volumes()).size).toBe(2);
  });

  test("an active one that its group ends releases first, and the next one in its zone takes its chain", async () => {
    const { active, standby } = await pair();
    const kept = await volumes();
    const stop = load();
    await endMember(nodes.target, active);
    const after = await pair();
    expect(after.active).toBe(standby);
    expect(after.standby).not.toBe(active);
    const { hashes, longest } = await stop();
    console.log(
      `its group ends the active one: ${hashes.length} invoices, none for ${longest.toFixed(0)} ms`,
    );
    // Without its release the lease would have to run out.
    expect(longest).toBeLessThan(8_000);
    expect(await volumes()).toEqual(kept);
  });

  test("one whose bitcoind is gone for long is unhealthy and replaced; being passive is not", async () => {
    const { active, standby } = await pair();
    await nodes.inGuest(standby, "systemctl mask --runtime --now bitcoind");
    const after = await eventually(
      "another standby",
      async () => {
        const now = (await group()).members.map(({ instanceId }) => instanceId);
        return now.includes(standby) ? undefined : await pair();
      },
      180,
    );
    expect(after.active).toBe(active);
    // The other one has been passive or active all the while, and nobody ended it.
    expect((await nodes.status(active))?.instance).toBe("running");
  });

  test("a bad new image stops after the standby, and the active one is never touched", async () => {
    const { active } = await pair();
    const epochs = () => nodes.sql("select max(generation) from eclair_ami.epoch");
    const epoch = await epochs();
    const bad = await changed("rm /usr/share/eclair-ami/templates/eclair.conf.hbs");
    const before = (await group()).template.version;
    const done = await replace("--image", bad);
    expect(done.exitCode, done.all).toBe(1);
    expect(done.all).toMatch(/replace\.standby/);
    expect(done.all).toMatch(new RegExp(`${active} is active and was never touched`));
    const after = await pair();
    expect(after.active).toBe(active);
    expect(await epochs()).toBe(epoch);
    expect((await group()).template.version).toBe(before);
    expect(new Set(await imagesIn())).toEqual(new Set([imageId]));
  }, 300_000);

  /** As on an image whose Eclair can't start: whatever runs of it ends, and none starts again. */
  const breakEclair = async (id: string) =>
    await nodes.inGuest(
      id,
      "systemctl mask --runtime eclair@a.service eclair@b.service; systemctl kill --signal=SIGKILL 'eclair@*'",
    );

  test("a newer image replaces both under load, with one handing over; --rollback takes it back, also when none is active", async () => {
    await pair();
    const newer = await changed("touch /etc/newer");
    const stop = load();
    const done = await replace("--image", newer, "--json");
    expect(done.exitCode, done.all).toBe(0);
    const { hashes, longest } = await stop();
    const steps = done.stdout.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(steps.map(({ step }) => step)).toEqual([
      "version",
      ...["ending", "launched", "ready"],
      ...["handing-over", "serving"],
      ...["ending", "launched", "ready"],
      "done",
    ]);
    const { milliseconds } = steps.at(-1) as { milliseconds: number };
    console.log(
      `replace: ${milliseconds} ms by the hosts; ${hashes.length} invoices, none for ${longest.toFixed(0)} ms`,
    );
    expect(longest).toBeLessThan(8_000);
    expect(await imagesIn()).toEqual([newer, newer]);
    const list = hashes.map((hash) => `'${hash}'`).join(",");
    expect(await nodes.sql(`select count(*) from payments.received where payment_hash in (${list})`)).toBe(
      String(hashes.length),
    );

    const again = await replace("--image", newer);
    expect(again.stdout).toMatch(/the node was not moved/);
    const { active, standby } = await pair();
    await breakEclair(standby);
    await breakEclair(active);
    await eventually("nobody to be active", async () =>
      (await nodeStatuses(nodes.target, { cluster: name })).some((one) => one.state?.active === true)
        ? undefined
        : true,
    );
    const back = await replace("--rollback", "--force");
    expect(back.exitCode, back.all).toBe(0);
    expect(await imagesIn()).toEqual([imageId, imageId]);
    const after = await pair();
    expect([active, standby]).not.toContain(after.active);
    expect((await replace("--rollback")).all).toMatch(/nothing to take back/);
  }, 600_000);

  test("one that was cut off goes on when it is run again", async () => {
    await pair();
    const newer = await changed("touch /etc/newer");
    const cut = replace("--image", newer);
    await eventually("the first instance to be ended", async () => {
      const { members } = await group();
      return members.some(({ lifecycle }) => lifecycle.startsWith("Pending")) ? true : undefined;
    });
    cut.kill();
    await cut;
    expect((await group()).last).toMatchObject({ state: "going" });
    // Its way back is where it began, and not what it has begun.
    const back = await replace("--rollback");
    expect(back.exitCode, back.all).toBe(0);
    expect(await imagesIn()).toEqual([imageId, imageId]);
    expect((await group()).last).toMatchObject({ state: "done" });
  }, 600_000);

  test("what can't be undone wants a word and a snapshot of the node's own database", async () => {
    const image = await changed("true");
    await nodes.target.ec2.send(
      new CreateTagsCommand({ Resources: [image], Tags: [{ Key: "eclair-ami:eclair", Value: "0.14.1" }] }),
    );
    const { members } = await group();
    const refused = async (cause: RegExp, ...flags: string[]) => {
      const done = await replace("--image", image, ...flags);
      expect(done.exitCode).toBe(2);
      expect(done.all).toMatch(/replace\.irreversible/);
      expect(done.all).toMatch(cause);
    };
    await refused(/--irreversible is not given/);
    await refused(/no snapshot is named/, "--irreversible");
    await refused(/not ?found/i, "--irreversible", "--snapshot", "none");
    const other = `other-${eclair}`;
    await cluster(state, other, imageId);
    await nodes.rds.send(
      new CreateDBSnapshotCommand({ DBInstanceIdentifier: other, DBSnapshotIdentifier: `${other}-snapshot` }),
    );
    await refused(/is of another database/, "--irreversible", "--snapshot", `${other}-snapshot`);
    expect((await group()).members).toEqual(members);
    expect((await replace()).all).toMatch(/either --image or --rollback/);
    expect((await replace("--image", image, "--force")).all).toMatch(/--force goes with --rollback alone/);
  });
});
