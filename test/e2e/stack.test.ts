import {
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import {
  GetRolePolicyCommand,
  IAMClient,
  ListInstanceProfilesCommand,
  ListRolesCommand,
} from "@aws-sdk/client-iam";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parse, stringify } from "yaml";
import { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { roleName } from "../../infra/cluster/role-names.ts";
import { findGroup } from "../../scripts/cluster/replace/group.ts";
import { answersAt } from "../../scripts/lab-cluster/load-balancer-endpoint.ts";
import {
  configurationFile,
  labChainGibibytes,
  labNode,
  networkIn,
  setupFile,
  stackFile,
} from "../../scripts/lab-cluster/stack.ts";
import { zones } from "../../scripts/lab/addresses.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { labPaths, layout } from "../../scripts/lab/paths.ts";
import { root } from "../../scripts/machine/paths.mjs";
import { labTarget } from "../../scripts/lab/target.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { likeImage } from "./like-image.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const lab = labPaths(state);
const target = labTarget(lab);
const facts = readFacts(lab);

describe.each(inject("images"))("from an empty account to a node ($eclair)", ({ eclair, id: imageId }) => {
  // Only one cluster of the lab can have a VPC of its own; the other one uses the lab's.
  const hasOwnNetwork = eclair === "stand-in";
  const name = `stacked-${eclair}`;
  const stack = stackFile(lab, name);
  const file = configurationFile(lab, name);
  const stackVerb = async (verb: string, ...flags: string[]) =>
    await cli(["stack", verb, stack, "--state", state, ...flags]);
  const succeed = async (words: readonly string[]) => {
    const run = await cli([...words, "--state", state]);
    expect(run.exitCode, run.all).toBe(0);
    return run.stdout;
  };
  const deploy = async (...flags: string[]) => {
    const run = await stackVerb("deploy", "--yes", ...flags);
    expect(run.exitCode, run.all).toBe(0);
    return run.stdout;
  };
  const changeDocument = (changes: object) =>
    writeFileSync(stack, stringify({ ...(parse(readFileSync(stack, "utf8")) as object), ...changes }));
  const instances = async () => {
    const { Reservations = [] } = await target
      .client(EC2Client)
      .send(new DescribeInstancesCommand({ Filters: [{ Name: `tag:${tags.cluster}`, Values: [name] }] }));
    return Reservations.flatMap(({ Instances = [] }) => Instances).filter(
      ({ State }) => State?.Name === "running" || State?.Name === "pending",
    );
  };
  const configuration = () => NodeConfiguration.parse(parse(readFileSync(file, "utf8")));
  const pair = async () => {
    const both = await eventually("two instances", async () => {
      const found = await instances();
      return found.length === 2 ? found : undefined;
    });
    return await pairOf(
      nodes,
      both.map(({ InstanceId = "" }) => InstanceId),
    );
  };
  /** The load balancer uses a target only after its health checks. */
  const untilEachAddressAnswers = async () => {
    for (const address of addresses)
      await eventually(`an answer at ${address}`, async () =>
        (await answersAt(target, nodeId, address)) ? true : undefined,
      );
  };
  const takeovers = async () => Number(await nodes.sql("select count(*) from eclair_ami.epoch"));
  /** The resources of the cluster that exist and are not in a list, by their ids. */
  const unlisted = async (listed: readonly string[]) => {
    const ec2 = target.client(EC2Client);
    const elb = target.client(ElasticLoadBalancingV2Client);
    const { LaunchTemplates = [] } = await ec2.send(new DescribeLaunchTemplatesCommand({}));
    const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
    const { TargetGroups = [] } = await elb.send(new DescribeTargetGroupsCommand({}));
    const { Roles = [] } = await target.client(IAMClient).send(new ListRolesCommand({}));
    const { InstanceProfiles = [] } = await target
      .client(IAMClient)
      .send(new ListInstanceProfilesCommand({}));
    const ofCluster = (text = "") => text.split(/[^a-z0-9-]+/i).some((word) => isNameOf(word));
    const isNameOf = (word: string) => word === name || word.startsWith(`${name}-`);
    return [
      ...LaunchTemplates.filter((one) => ofCluster(one.LaunchTemplateName)).map(
        (one) => one.LaunchTemplateId,
      ),
      ...SecurityGroups.filter((one) => ofCluster(one.Description)).map((one) => one.GroupId),
      ...LoadBalancers.filter((one) => ofCluster(one.LoadBalancerName)).map((one) => one.LoadBalancerArn),
      ...TargetGroups.filter((one) => ofCluster(one.TargetGroupName)).map((one) => one.TargetGroupArn),
      ...Roles.filter((one) => ofCluster(one.RoleName)).map((one) => one.RoleName),
      ...InstanceProfiles.filter((one) => ofCluster(one.InstanceProfileName)).map(
        (one) => one.InstanceProfileName,
      ),
    ].filter((id = "") => !listed.includes(id));
  };
  const noChanges = ["account", `${name}-state`, `${name}-cluster`]
    .map((suffix) => `eclair-ami-${suffix}: no changes`)
    .join("\n");

  let nodes: Cluster;
  let newImageId = "";
  let nodeId = "";
  let addresses: readonly string[] = [];

  beforeAll(() => {
    mkdirSync(dirname(stack), { recursive: true });
    if (facts === undefined) throw new Error("the lab is not up");
    const network = networkIn(facts, hasOwnNetwork ? "own" : "shared");
    writeFileSync(
      stack,
      stringify({
        ...{ apiVersion: "eclair-ami/v1", kind: "Stack", cluster: name, chain: "regtest" },
        ...{ region: "us-east-1", zones: zones.map((zone) => zone.name), network },
      }),
    );
  });
  afterAll(async () => {
    await stackVerb("destroy", "--confirm", name);
  });

  test("deploy creates the resources, and a second deploy changes nothing", async () => {
    const question = await stackVerb("deploy");
    expect(question).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("stack.not-confirmed") });
    const first = await deploy();
    expect(first).toContain("+ create  Database (AWS::RDS::DBInstance)");
    expect(first).toContain(`eclair-ami-${name}-cluster: deployed`);
    expect((await deploy()).trim()).toBe(noChanges);
    expect((await stackVerb("status")).exitCode).toBe(0);
    expect(await instances()).toEqual([]);
  });

  test("init creates the node, and the group starts a pair", async () => {
    writeFileSync(
      setupFile(lab, name),
      await succeed(["config", "new", "--kind", "ClusterSetup", "--from-stack", name]),
    );
    await succeed(["init", "--config", setupFile(lab, name), "--image", imageId, "--create-secrets"]);
    const written = parse(await succeed(["config", "new", "--from-stack", name])) as Record<string, object>;
    writeFileSync(
      file,
      stringify({
        ...written,
        ...labNode,
        chainVolume: { ...written["chainVolume"], sizeGibibytes: labChainGibibytes },
      }),
    );
    nodes = await cluster(state, name, imageId);
    nodeId = configuration().nodeId;
    addresses = configuration().publicAddresses;

    const changed = await deploy("--image", imageId, "--node-config", file);
    expect(changed).toMatch(/\+ create {2}\w+ \(AWS::AutoScaling::AutoScalingGroup/);
    await pair();
    expect((await deploy()).trim()).toBe(noChanges);
    const second = await stackVerb("deploy", "--yes", "--image", imageId, "--node-config", file);
    expect(second.stderr).toMatch(/stack\.image-in-use/);
  });

  test("the node answers at the address of each zone", async () => {
    expect(addresses).toHaveLength(2);
    await untilEachAddressAnswers();
  });

  test("the roles have the policies that `policy` prints", async () => {
    const iam = target.client(IAMClient);
    const deployed = async (purpose: "node" | "setup" | "operator") => {
      const { PolicyDocument = "" } = await iam.send(
        new GetRolePolicyCommand({ RoleName: roleName(name, purpose), PolicyName: "eclair-ami" }),
      );
      return JSON.parse(decodeURIComponent(PolicyDocument)) as object;
    };
    const printed = async (...words: string[]) => {
      const run = await cli(["policy", ...words]);
      expect(run.exitCode, run.all).toBe(0);
      return JSON.parse(run.stdout) as object;
    };
    const roles = (["node", "setup"] as const).map(
      (purpose) => `arn:aws:iam::123456789012:role/${roleName(name, purpose)}`,
    );
    expect(await deployed("node")).toEqual(await printed("instance", "--config", file));
    expect(await deployed("setup")).toEqual(await printed("setup", "--config", setupFile(lab, name)));
    expect(await deployed("operator")).toEqual(
      await printed("operator", "--config", file, "--pass-role", ...roles),
    );
  });

  test(
    "after a replace, a deploy with another instance type launches no old image",
    { timeout: 480_000 },
    async () => {
      const before = await takeovers();
      newImageId = await likeImage(state, target, imageId);
      await succeed(["replace", "--cluster", name, "--image", newImageId]);
      changeDocument({ instance: { type: "t3.large" } });
      changeDocument({ instance: { architecture: "arm64" } });
      const mismatch = await stackVerb("deploy", "--yes");
      expect(mismatch.stderr).toMatch(/is for x86_64, and the instance type m6g.large is for arm64/);
      changeDocument({ instance: { type: "t3.large" } });
      const shown = await cli(["stack", "diff", stack, "--state", state]);
      expect(shown.stdout).toMatch(/~ change {2}\w+ \(AWS::EC2::LaunchTemplate .*LaunchTemplateData/);
      // First only the image of the `replace`: a failure of the other changes then returns to this image.
      const deployed = await deploy();
      expect(deployed.split(`eclair-ami-${name}-cluster: deployed`)).toHaveLength(3);
      const { template, desired } = await findGroup(target, name);
      expect(template.imageId).toBe(newImageId);
      expect(desired).toBe(2);
      expect((await deploy()).trim()).toBe(noChanges);
      const running = await instances();
      expect(running.map(({ ImageId }) => ImageId)).toEqual([newImageId, newImageId]);
      await pair();
      expect(await takeovers()).toBe(before + 1);

      // The next `replace` gives the instances the new type.
      await succeed(["replace", "--cluster", name, "--image", newImageId]);
      const types = (await instances()).map(({ ImageId, InstanceType }) => `${ImageId} ${InstanceType}`);
      expect(types).toEqual([`${newImageId} t3.large`, `${newImageId} t3.large`]);
    },
  );

  test("after a rollback, a deploy keeps the image of the rollback", { timeout: 480_000 }, async () => {
    const other = await likeImage(state, target, imageId);
    await succeed(["replace", "--cluster", name, "--image", other]);
    await succeed(["replace", "--cluster", name, "--rollback"]);
    changeDocument({ instance: { type: "t3.xlarge" } });
    await deploy();
    expect((await findGroup(target, name)).template.imageId).toBe(newImageId);
  });

  test("destroy keeps what holds money and state, and deploy returns to the same node", async () => {
    const wrong = await stackVerb("destroy", "--confirm", "another", "--json");
    expect(failureOf(wrong)).toMatchObject({ code: "stack.declined" });
    const run = await stackVerb("destroy", "--confirm", name, "--json");
    expect(run.exitCode, run.all).toBe(0);
    const { remaining } = JSON.parse(run.stdout) as { remaining: { type: string; id: string }[] };
    const types = new Set(remaining.map(({ type }) => type));
    for (const type of [
      "AWS::DynamoDB::Table",
      "AWS::EC2::EIP",
      "AWS::EC2::Volume",
      "AWS::KMS::Key",
      "AWS::RDS::DBInstance",
      "AWS::SecretsManager::Secret",
    ])
      expect(types).toContain(type);
    expect(types).not.toContain("AWS::AutoScaling::AutoScalingGroup");
    expect(await instances()).toEqual([]);
    const { AutoScalingGroups } = await target
      .client(AutoScalingClient)
      .send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
    expect(AutoScalingGroups).toEqual([]);

    expect(await unlisted(remaining.map(({ id }) => id))).toEqual([]);

    await deploy("--image", newImageId, "--node-config", file);
    const { active } = await pair();
    expect((await nodes.status(active))?.report?.eclair.info?.nodeId).toBe(nodeId);
    await untilEachAddressAnswers();
    const current = parse(await succeed(["config", "new", "--from-stack", name])) as object;
    expect(current).toMatchObject({
      nodeId,
      publicAddresses: addresses,
      database: { host: configuration().database.host },
      targetGroupArns: configuration().targetGroupArns,
    });
  });

  test("the lab reads every property of the templates, or docs/lab-stacks.md lists it", () => {
    const report = JSON.parse(readFileSync(layout.stackProperties(lab), "utf8")) as {
      notSimulated: Record<string, string[]>;
    };
    const unread = Object.entries(report.notSimulated).flatMap(([type, paths]) =>
      paths.map((path) => `${type} ${path}`),
    );
    const page = readFileSync(join(root, "docs/lab-stacks.md"), "utf8");
    const listed = [...page.matchAll(/^- `(AWS::\S+)` `(\S+)`/gm)].map(([, type, path]) => `${type} ${path}`);
    expect(unread).toEqual(listed);
  });
});
