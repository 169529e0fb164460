import { execa } from "execa";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeBinary, root } from "../../scripts/machine/paths.mjs";

/** A user's CDK app, with its own VPC and a database that exists already. */
const app = `
import { App, Stack } from "aws-cdk-lib";
import { SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { NodeAddresses, NodeCluster, NodeKeys, NodeTargetGroup, type Network } from "eclair-ami";

const app = new App({ outdir: process.argv[2] });
const stack = new Stack(app, "Lightning");
const vpc = new Vpc(stack, "Vpc", { maxAzs: 2 });
// The names of the zones are known only when CloudFormation deploys the stack.
const zones = ["first", "second"];
const network: Network = {
  vpcId: vpc.vpcId,
  subnetIds: Object.fromEntries(
    zones.map((zone, index) => [
      zone,
      {
        public: vpc.publicSubnets[index]?.subnetId ?? "",
        node: vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS }).subnetIds[index] ?? "",
      },
    ]),
  ),
};
const addresses = new NodeAddresses(stack, "Addresses", { name: "demo", zones });
const keys = new NodeKeys(stack, "Keys", { name: "demo" });
const targetGroup = new NodeTargetGroup(stack, "TargetGroup", { name: "demo", vpcId: vpc.vpcId });
const cluster = new NodeCluster(stack, "Node", {
  name: "demo",
  network,
  addresses: addresses.byZone,
  database: {
    host: "demo.abc.eu-central-1.rds.amazonaws.com",
    port: 5432,
    name: "eclair",
    ownerSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:owner-AbCdEf",
    securityGroupId: "sg-12345678",
  },
  volumeKeyArn: keys.volumeKeyArn,
  targetGroupArn: targetGroup.arn,
  table: "eclair-ami",
  secrets: { node: ["demo/seeds"], runtime: "demo/database", more: [] },
  instanceType: "m7g.large",
  running: { imageId: "ami-0123456789abcdef0", userData: "eA==", revision: "0" },
});
const template = app.synth().getStackByName("Lightning").template as { Resources: Record<string, { Type: string }> };
console.log(JSON.stringify([cluster.group?.groupName !== undefined, ...Object.values(template.Resources).map((one) => one.Type)]));
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-library-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test(
  "the packed library has types, and synthesises a cluster in another CDK app",
  { timeout: 120_000 },
  async () => {
    const packed = await execa("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
    const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("["))) as [
      { filename: string; files: { path: string }[] },
    ];
    expect(
      files.map(({ path }) => path).filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")),
    ).toEqual([]);

    const modules = join(folder, "node_modules");
    mkdirSync(join(modules, "eclair-ami"), { recursive: true });
    await extract({ file: join(folder, filename), cwd: join(modules, "eclair-ami"), strip: 1 });
    // As npm installs the peer dependencies of a package.
    for (const name of ["aws-cdk-lib", "constructs", "@types"])
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "app.ts"), app);
    const compilerOptions = {
      ...{ target: "es2024", module: "nodenext", strict: true, skipLibCheck: true, types: ["node"] },
      outDir: "built",
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
    await execa(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.json"], { cwd: folder });
    const { stdout } = await execa(nodeBinary, ["built/app.js", join(folder, "cdk.out")], { cwd: folder });
    const types = JSON.parse(stdout.split("\n").at(-1) ?? "") as unknown[];
    expect(types[0]).toBe(true);
    for (const type of ["AWS::AutoScaling::AutoScalingGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer"])
      expect(types).toContain(type);
  },
);
