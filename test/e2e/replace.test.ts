import {
  AutoScalingClient,
  DescribeAutoScalingInstancesCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import { CreateTagsCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateDBClusterCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
} from "@aws-sdk/client-rds";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { lastHolderAddress } from "../../scripts/lab-cluster/failover.ts";
import { deployLabStack } from "../../scripts/lab-cluster/stack.ts";
import { home, zones } from "../../scripts/lab/addresses.ts";
import { crowd } from "../../scripts/drills/load/crowd.ts";
import { loadBalancerAddresses } from "../../scripts/lab-cluster/load-balancer-endpoint.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { terminateMember, findGroup } from "../../scripts/cluster/replace/group.ts";
import { nodeStatuses } from "../../scripts/cluster/status.ts";
import { cli, eventually } from "./cli.ts";
import { labRelease } from "./lab-release.ts";
import { destroy } from "../../scripts/stack/destroy.ts";
import { likeImage } from "./like-image.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const zoneNames = zones.map((zone) => zone.name);
const handshakeLoad = { handshakes: 300, seconds: 30 };
const unhealthyAfterSeconds = 60;
/** Eclair renews the lease every 5 s, so a takeover that waits for the end of the lease takes at least 85 s. */
const leaseSeconds = 90;
const releasedMilliseconds = 45_000;

describe.each(inject("images"))("an Auto Scaling group of one node ($eclair)", ({ eclair, id: imageId }) => {
  const name = `scaled-${eclair}`;
  let nodes: Cluster;

  beforeAll(async () => {
    nodes = await cluster(state, name, imageId);
    const document = parse(readFileSync(nodes.file, "utf8")) as { database: object; failover: object };
    const database = { ...document.database, leaseSeconds };
    const failover = { ...document.failover, unhealthyAfterSeconds };
    writeFileSync(nodes.file, stringify({ ...document, database, failover }));
    const facts = readFacts(nodes.lab);
    if (facts === undefined) throw new Error("the lab is not up");
    const first = { image: { imageId }, configurationFile: nodes.file };
    await deployLabStack(nodes.lab, facts, nodes.target, { name, network: "shared", first });
  });
  afterAll(async () => {
    await destroy(nodes.target, name);
  });
  const group = () => findGroup(nodes.target, name);
  /** Waits until the group has two members in service that are a pair. */
  const waitForPair = () =>
    eventually("two instances in service", async () => {
      const { members } = await group();
      if (members.length !== 2 || members.some(({ lifecycle }) => lifecycle !== "InService"))
        return undefined;
      return await pairOf(
        nodes,
        members.map(({ instanceId }) => instanceId),
      );
    });
  const volumes = async () => {
    const { Volumes = [] } = await nodes.target
      .client(EC2Client)
      .send(new DescribeVolumesCommand({ Filters: [{ Name: `tag:${tags.cluster}`, Values: [name] }] }));
    return new Set(Volumes.map(({ VolumeId }) => VolumeId));
  };
  const replace = (...flags: string[]) => cli(["replace", "--state", state, "--cluster", name, ...flags]);
  /** The images of the group's members. A terminating instance that waits for its hook is not a member. */
  const memberImages = async () => {
    const { members } = await group();
    return (await nodeStatuses(nodes.target, { cluster: name }))
      .filter((status) => members.some(({ instanceId }) => instanceId === status.instanceId))
      .map((status) => status.imageId);
  };

  const createChangedImage = (script: string) => likeImage(state, nodes.target, imageId, script);

  /**
   * Creates invoices on the active instance until the returned function is called. That function returns the payment hashes
   * and the longest pause between two invoices, in milliseconds.
   */
  const startLoad = () => {
    const hashes: string[] = [];
    const stop = new AbortController();
    let longestPause = 0;
    let last = performance.now();
    const running = (async () => {
      let active = { address: "", instanceId: "" };
      while (!stop.signal.aborted) {
        const address = await lastHolderAddress(nodes.sql);
        if (address !== active.address) {
          const found = (await nodes.statuses()).find(
            ({ privateIp, instanceState }) => privateIp === address && instanceState === "running",
          );
          if (found !== undefined) active = { address, instanceId: found.instanceId };
        }
        const invoice = await nodes
          .api(active.instanceId, "createinvoice", "description=load&amountMsat=1000")
          .catch(() => undefined);
        // The other test files need the processors as well.
        await sleep(200);
        if (invoice === undefined) continue;
        hashes.push((invoice as { paymentHash: string }).paymentHash);
        longestPause = Math.max(longestPause, performance.now() - last);
        last = performance.now();
      }
    })();
    return async () => {
      stop.abort();
      await running;
      return { hashes, longestPause: Math.max(longestPause, performance.now() - last) };
    };
  };

  test("two instances in two zones complete their launch hooks, and become active and standby", async () => {
    const { active, standby } = await waitForPair();
    const statuses = await nodeStatuses(nodes.target, { cluster: name });
    expect(new Set(statuses.map(({ availabilityZone }) => availabilityZone)).size).toBe(2);
    for (const id of [active, standby]) {
      const log = await nodes.inGuest(
        id,
        "journalctl --no-pager --output=cat --unit=eclair-supervisor --grep=auto-scaling",
      );
      expect(log.stdout).toMatch(/"event":"auto-scaling.hook-completed","hook":"eclair-ami-launching"/);
    }
    expect((await volumes()).size).toBe(2);
  });

  test("`status` warns while the group balances its zones", async () => {
    const scaling = nodes.target.client(AutoScalingClient);
    const process = { AutoScalingGroupName: name, ScalingProcesses: ["AZRebalance"] };
    const warnings = async () => (await cli(["status", "--state", state, "--cluster", name])).stderr;
    expect(await warnings()).not.toContain("AZRebalance");
    await scaling.send(new ResumeProcessesCommand(process));
    expect(await warnings()).toContain(`the Auto Scaling group ${name} balances its availability zones`);
    await scaling.send(new SuspendProcessesCommand(process));
    expect(await warnings()).not.toContain("AZRebalance");
  });

  test("an active instance that its group terminates releases its lease first, and the next instance in its zone attaches its chain volume", async () => {
    const { active, standby } = await waitForPair();
    const volumesBefore = await volumes();
    const stopLoad = startLoad();
    await terminateMember(nodes.target, active);
    const after = await waitForPair();
    expect(after.active).toBe(standby);
    expect(after.standby).not.toBe(active);
    const { hashes, longestPause } = await stopLoad();
    console.log(
      `the group terminates the active instance: ${hashes.length} invoices, longest pause ${longestPause.toFixed(0)} ms`,
    );
    expect(hashes.length).toBeGreaterThan(0);
    // Without the release, the takeover would wait until the lease expires.
    expect(longestPause).toBeLessThan(releasedMilliseconds);
    expect(await volumes()).toEqual(volumesBefore);
  });

  test("no handshake fails while its group terminates the standby, to which the load balancer still sends connections", async () => {
    const { active, standby } = await waitForPair();
    await eventually("both targets to be healthy", async () =>
      (await nodes.statuses()).filter(({ targetHealth }) => targetHealth.includes("healthy")).length === 2
        ? true
        : undefined,
    );
    const addresses = await loadBalancerAddresses(nodes.target, name, zoneNames);
    const outcomes = await crowd(
      nodes.target,
      { nodeId: nodes.configuration.nodeId, ...handshakeLoad, addresses: [...addresses.values()] },
      async () => {
        const { stdout } = await cli(["terminate", standby, "--state", state]);
        expect(stdout).toMatch(/terminates i-[0-9a-f]+ after its drain/);
      },
    );
    expect(outcomes).toEqual({ answered: handshakeLoad.handshakes, worstMilliseconds: expect.any(Number) });
    // The handshakes lasted longer than the instance.
    expect((await nodes.status(standby))?.instanceState ?? "terminated").not.toBe("running");
    expect((await waitForPair()).active).toBe(active);
  });

  test("an active instance that its group terminates continues until another instance can take over", async () => {
    const { active, standby } = await waitForPair();
    await eventually("the active instance to be protected from scale-in", async () => {
      const { AutoScalingInstances = [] } = await nodes.target
        .client(AutoScalingClient)
        .send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [active, standby] }));
      return AutoScalingInstances.every(
        ({ InstanceId, ProtectedFromScaleIn }) => ProtectedFromScaleIn === (InstanceId === active),
      )
        ? true
        : undefined;
    });
    await nodes.inGuest(standby, "systemctl stop bitcoind; systemctl stop eclair-supervisor");
    await eventually("the last report of the standby", async () =>
      (await nodes.status(standby))?.report?.ready === false ? true : undefined,
    );
    // The active instance reads the reports of the others every ten seconds.
    await sleep(12_000);
    await terminateMember(nodes.target, active);
    await eventually("the active instance to wait", async () => {
      const { stdout } = await nodes.inGuest(
        active,
        "journalctl --no-pager --output=cat --unit=eclair-supervisor",
      );
      return stdout.includes('"event":"auto-scaling.waiting-for-standby"') ? true : undefined;
    });
    expect((await nodes.status(active))?.report).toMatchObject({ role: "active", active: true });
    await nodes.inGuest(standby, "systemctl start bitcoind; systemctl start eclair-supervisor");
    const after = await waitForPair();
    expect([after.active, after.standby]).not.toContain(active);
  });

  test("an instance whose bitcoind is stopped becomes unhealthy and is replaced, and a healthy instance is not replaced", async () => {
    const { active, standby } = await waitForPair();
    await nodes.inGuest(standby, "systemctl mask --runtime --now bitcoind");
    const after = await eventually("a new standby", async () => {
      const now = (await group()).members.map(({ instanceId }) => instanceId);
      return now.includes(standby) ? undefined : await waitForPair();
    });
    expect(after.active).toBe(active);
    // The group did not replace the other instance, which was healthy.
    expect((await nodes.status(active))?.instanceState).toBe("running");
  });

  test("a replace with a broken image stops after the standby, and the active instance continues", async () => {
    const { active } = await waitForPair();
    const epochs = () => nodes.sql("select max(generation) from eclair_ami.epoch");
    const epoch = await epochs();
    const brokenImage = await createChangedImage("rm /usr/share/eclair-ami/templates/eclair.conf.hbs");
    const versionBefore = (await group()).template.version;
    const run = await replace("--image", brokenImage);
    expect(run.exitCode, run.all).toBe(1);
    expect(run.all).toMatch(/replace\.instance-not-ready/);
    expect(run.all).toMatch(new RegExp(`${active} stayed active`));
    const after = await waitForPair();
    expect(after.active).toBe(active);
    expect(await epochs()).toBe(epoch);
    expect((await group()).template.version).toBe(versionBefore);
    expect(new Set(await memberImages())).toEqual(new Set([imageId]));
  });

  /** Simulates an image whose Eclair cannot start: ends every Eclair, and prevents its next start. */
  const breakEclair = async (id: string) =>
    await nodes.inGuest(
      id,
      "systemctl mask --runtime eclair@a.service eclair@b.service; systemctl kill --signal=SIGKILL 'eclair@*'",
    );

  test("replace installs a newer image under load with one switchover, and --rollback restores the previous image without an active instance", async () => {
    await waitForPair();
    const release = await labRelease(nodes.lab, name);
    const releaseVerb = async (...args: string[]) => {
      const done = await cli(["release", ...args, "--state", state, "--config", release.file]);
      expect(done.exitCode, done.all).toBe(0);
      return done.stdout;
    };
    const published = (await releaseVerb("publish", imageId, "--json")).trim().split("\n").at(-1) ?? "";
    const { version, images } = JSON.parse(published) as { version: string; images: Record<string, string> };
    const newer = images[home.region] ?? "";
    await releaseVerb("promote", version, "--to", "stable");
    const stopLoad = startLoad();
    const run = await replace("--channel", "stable", "--parameter-prefix", release.prefix, "--json");
    expect(run.exitCode, run.all).toBe(0);
    const { hashes, longestPause } = await stopLoad();
    const steps = run.stdout.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(steps.map(({ event }) => event)).toEqual([
      "replace.version-changed",
      ...["replace.terminating", "replace.launched", "replace.ready"],
      ...["replace.switching-over", "replace.serving"],
      ...["replace.terminating", "replace.launched", "replace.ready"],
      "replace.succeeded",
    ]);
    const { outageMs } = steps.at(-1) as { outageMs: number };
    console.log(
      `replace: outage ${outageMs} ms by the clocks of the hosts; ${hashes.length} invoices, longest pause ${longestPause.toFixed(0)} ms`,
    );
    // The pause between two invoices contains the time that this client takes to find the new host.
    expect(outageMs).toBeLessThan(releasedMilliseconds);
    expect(await memberImages()).toEqual([newer, newer]);
    const list = hashes.map((hash) => `'${hash}'`).join(",");
    expect(await nodes.sql(`select count(*) from payments.received where payment_hash in (${list})`)).toBe(
      String(hashes.length),
    );

    const secondRun = await replace("--image", newer);
    expect(secondRun.stdout).toMatch(/without a switchover/);
    await releaseVerb("withdraw", version, "--reason", "a test");
    const withdrawn = await cli(["status", "--state", state, "--cluster", name]);
    expect(withdrawn.stderr).toMatch(
      new RegExp(
        `^warning: i-\\w+, i-\\w+: the image ${newer} \\(${version}\\) was withdrawn: a test\\.`,
        "m",
      ),
    );
    const disabling = ["withdraw", version, "--reason", "a test", "--disable"];
    const disabled = await cli(["release", ...disabling, "--state", state, "--config", release.file]);
    expect(disabled.exitCode).toBe(1);
    expect(disabled.all).toMatch(
      new RegExp(`us-east-1: the instance i-\\w+ \\(running\\) \\(${newer}\\)[^]*release.image-in-use`),
    );
    expect(await releaseVerb("prune")).toMatch(
      new RegExp(`^${version}: kept, because .*launch template ${name}`),
    );
    const { active, standby } = await waitForPair();
    await breakEclair(standby);
    await breakEclair(active);
    await eventually("no instance to be active", async () =>
      (await nodeStatuses(nodes.target, { cluster: name })).some(({ report }) => report?.active === true)
        ? undefined
        : true,
    );
    const rollback = await replace("--rollback", "--force");
    expect(rollback.exitCode, rollback.all).toBe(0);
    expect(await memberImages()).toEqual([imageId, imageId]);
    const after = await waitForPair();
    expect([active, standby]).not.toContain(after.active);
    expect((await replace("--rollback")).all).toMatch(/has no replace to roll back/);
  }, 600_000);

  test("an interrupted replace can be rolled back", async () => {
    await waitForPair();
    const newer = await createChangedImage("touch /etc/newer");
    const interrupted = replace("--image", newer);
    await eventually("the group to launch the first new instance", async () => {
      const { members } = await group();
      return members.some(({ lifecycle }) => lifecycle.startsWith("Pending")) ? true : undefined;
    });
    interrupted.kill();
    await interrupted;
    expect((await group()).lastReplace).toMatchObject({ state: "rollingForward" });
    // The rollback restores the version from before the replace, not the version that the replace has set.
    const rollback = await replace("--rollback");
    expect(rollback.exitCode, rollback.all).toBe(0);
    expect(await memberImages()).toEqual([imageId, imageId]);
    expect((await group()).lastReplace).toMatchObject({ state: "done" });
  }, 600_000);

  test("an irreversible replace requires --allow-irreversible and a snapshot of the node's database", async () => {
    const image = await createChangedImage("true");
    await nodes.target
      .client(EC2Client)
      .send(
        new CreateTagsCommand({ Resources: [image], Tags: [{ Key: tags.eclairVersion, Value: "0.14.1" }] }),
      );
    const { members } = await group();
    const expectRefused = async (message: RegExp, ...flags: string[]) => {
      const run = await replace("--image", image, ...flags);
      expect(run.exitCode).toBe(2);
      expect(run.all).toMatch(/replace\.irreversible/);
      expect(run.all).toMatch(message);
    };
    await expectRefused(/--allow-irreversible is missing/);
    await expectRefused(/--snapshot is missing/, "--allow-irreversible");
    await expectRefused(/the snapshot none does not exist/, "--allow-irreversible", "--snapshot", "none");
    const other = `other-${eclair}`;
    await cluster(state, other, imageId);
    await nodes.rds.send(
      new CreateDBSnapshotCommand({ DBInstanceIdentifier: other, DBSnapshotIdentifier: `${other}-snapshot` }),
    );
    await expectRefused(
      /is not of the node's database/,
      "--allow-irreversible",
      "--snapshot",
      `${other}-snapshot`,
    );
    const ofCluster = `${other}-cluster`;
    await nodes.rds.send(
      new CreateDBClusterCommand({
        DBClusterIdentifier: ofCluster,
        Engine: "aurora-postgresql",
        MasterUsername: "owner",
        MasterUserPassword: randomUUID(),
      }),
    );
    await nodes.rds.send(
      new CreateDBClusterSnapshotCommand({
        DBClusterIdentifier: ofCluster,
        DBClusterSnapshotIdentifier: `${ofCluster}-snapshot`,
      }),
    );
    await expectRefused(
      /is not of the node's database/,
      "--allow-irreversible",
      "--snapshot",
      `${ofCluster}-snapshot`,
    );
    expect((await group()).members).toEqual(members);
    expect((await replace()).all).toMatch(/either --image, --channel or --rollback is required/);
    expect((await replace("--image", image, "--force")).all).toMatch(/--force requires --rollback/);
  });
});
