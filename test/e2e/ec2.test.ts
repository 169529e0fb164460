import {
  AttachVolumeCommand,
  CreateImageCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DetachVolumeCommand,
  GetConsoleOutputCommand,
  RebootInstancesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Manifest } from "../../scripts/image/manifest.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { waitForBoot, eventually, inGuest } from "./cli.ts";

const state = inject("labState");
const target = labTarget(labPaths(state));
const ec2 = target.client(EC2Client);
const manifest = Manifest.parse(JSON.parse(readFileSync(inject("manifestFile"), "utf8")));
const started: string[] = [];

async function launch(imageId = manifest.image.id, hopLimit = 1): Promise<string> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: imageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: "t3.small",
      SubnetId: target.instance.subnetId,
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: hopLimit },
    }),
  );
  const id = Instances?.[0]?.InstanceId ?? "";
  started.push(id);
  await waitUntilBooted(id);
  return id;
}

const waitUntilBooted = (id: string) => waitForBoot(state, id);

async function stateOf(id: string): Promise<string | undefined> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

const waitForState = (id: string, expected: string) =>
  eventually(`${id} to be ${expected}`, async () => ((await stateOf(id)) === expected ? true : undefined));

let first: string;
let second: string;
beforeAll(async () => {
  [first, second] = await Promise.all([launch(), launch(undefined, 2)]);
});
afterAll(async () => {
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: started }));
});

test("two instances of one image have their own machine id, host keys and address", async () => {
  const facts = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname";
  const [a, b] = await Promise.all([inGuest(state, first, facts), inGuest(state, second, facts)]);
  const [left, right] = [a.stdout.split("\n"), b.stdout.split("\n")];
  for (const index of [0, 1, 2]) expect(left[index]).not.toBe(right[index]);
});

test("as in Debian's AMI, cloud-init's local stage configures the network of each instance with netplan", async () => {
  const facts = `cloud-init status --long | sed -n 's/^detail: //p'
    cat /sys/class/net/ens5/address
    sed -n 's/.*macaddress: "\\(.*\\)"/\\1/p' /etc/netplan/50-cloud-init.yaml
    networkctl status ens5 | grep -o '10-netplan-ens5.network$'`;
  const [a, b] = await Promise.all([inGuest(state, first, facts), inGuest(state, second, facts)]);
  for (const { stdout } of [a, b]) {
    const [source, address, configuredAddress, networkFile] = stdout.split("\n");
    expect(source).toBe("DataSourceEc2Local");
    expect(configuredAddress).toBe(address);
    expect(networkFile).toBe("10-netplan-ens5.network");
  }
  expect(a.stdout).not.toBe(b.stdout);
});

test("without a configuration in the user-data, the bootstrap logs its instance id and starts nothing", async () => {
  const { stdout } = await inGuest(
    state,
    first,
    "journalctl --unit eclair-bootstrap --output cat; systemctl is-active bitcoind eclair@a",
  );
  expect(stdout).toContain(`"instanceId":"${first}"`);
  expect(stdout).toContain('"event":"boot.idle"');
  expect(stdout.trim().split("\n").slice(-2)).toEqual(["inactive", "inactive"]);
});

test("the bootstrap starts without the credentials that the lab passes and EC2 does not", async () => {
  const { stdout } = await inGuest(
    state,
    first,
    `sed 's#@system/#@missing/#' /etc/systemd/system/eclair-bootstrap.service > /run/systemd/system/bootstrap-of-ec2.service
     systemctl daemon-reload; systemctl start bootstrap-of-ec2
     journalctl --unit bootstrap-of-ec2 --output cat --no-pager`,
  );
  expect(stdout).toContain('"event":"boot.idle"');
  expect(stdout).not.toMatch(/CREDENTIALS|Invalid syntax/);
});

test("the metadata service requires a token, and returns the id of the requesting instance", async () => {
  const { stdout } = await inGuest(
    state,
    first,
    `curl -s -o /dev/null -w '%{http_code} ' http://169.254.169.254/latest/meta-data/instance-id
     token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
     curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id`,
  );
  expect(stdout).toBe(`401 ${first}`);
});

test("the metadata service answers only within the hop limit", async () => {
  // Like a container, this network namespace is one hop further away than its instance.
  const script = (seconds: number) => `
    ip netns add inner; ip link add outer type veth peer name in netns inner
    ip address add 100.64.15.1/30 dev outer; ip link set outer up
    ip -n inner address add 100.64.15.2/30 dev in; ip -n inner link set in up; ip -n inner route add default via 100.64.15.1
    nft add table ip t; nft 'add chain ip t p { type nat hook postrouting priority 100; }'; nft add rule ip t p ip saddr 100.64.15.2 masquerade
    nft flush chain inet filter forward; nft 'add chain inet filter forward { policy accept; }'
    ip netns exec inner curl -s -m ${seconds} -o /dev/null -w '%{http_code}' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token`;
  const requestToken = (seconds: number) => `echo 1 > /proc/sys/net/ipv4/ip_forward; ${script(seconds)}`;
  // The first instance has a hop limit of 1, the second a hop limit of 2. The request without an answer has the shorter timeout.
  expect((await inGuest(state, first, requestToken(2))).stdout).toBe("000");
  expect((await inGuest(state, second, requestToken(20))).stdout).toBe("200");
});

test("the router keeps its hardware address while guests start and stop", async () => {
  const { stdout } = await inGuest(
    state,
    first,
    "curl -s -o /dev/null http://100.64.8.10/; cat /proc/net/arp",
  );
  expect(stdout).toMatch(/^100\.64\.0\.1 .* 02:00:00:00:00:0a /m);
});

test("a guest can fill only its own disk", async () => {
  const { stdout } = await inGuest(
    state,
    first,
    "fallocate -l 20G /fill 2>&1; df --output=size -B1G / | tail -1; rm -f /fill",
  );
  expect(stdout).toMatch(/No space left on device/);
  expect(Number(stdout.trim().split("\n").at(-1))).toBe(8);
});

test("an instance keeps its disk when it is stopped and started, and when it is rebooted", async () => {
  await inGuest(state, first, "echo kept > /root/kept; sync");
  await ec2.send(new StopInstancesCommand({ InstanceIds: [first] }));
  await waitForState(first, "stopped");
  await ec2.send(new StartInstancesCommand({ InstanceIds: [first] }));
  await waitUntilBooted(first);
  const beforeReboot = (
    await inGuest(
      state,
      first,
      "cat /proc/sys/kernel/random/boot_id /root/kept; systemctl show --value -p UserspaceTimestampMonotonic",
    )
  ).stdout;
  await ec2.send(new RebootInstancesCommand({ InstanceIds: [first] }));
  await waitUntilBooted(first);
  const afterReboot = (
    await inGuest(
      state,
      first,
      "cat /proc/sys/kernel/random/boot_id /root/kept; systemctl show --value -p UserspaceTimestampMonotonic",
    )
  ).stdout;
  expect(beforeReboot).toContain("kept");
  expect(afterReboot).toContain("kept");
  expect(afterReboot.split("\n")[2]).not.toBe(beforeReboot.split("\n")[2]);
});

test("an instance is stopped after its guest powers off, and runs again after its guest reboots", async () => {
  // This session ignores SIGTERM. The guest must stop it when it powers off.
  const session = inGuest(state, second, "trap '' TERM; while true; do sleep 1; done");
  await inGuest(state, second, "systemctl poweroff");
  await waitForState(second, "stopped");
  expect((await session).exitCode).not.toBe(0);
  await ec2.send(new StartInstancesCommand({ InstanceIds: [second] }));
  await waitUntilBooted(second);
  await inGuest(state, second, "touch /run/before; systemctl reboot");
  await eventually("the guest to reboot", async () => {
    const { stdout } = await inGuest(
      state,
      second,
      "ls /run/before 2>/dev/null; systemctl is-system-running",
    );
    return stdout.trim() === "running" ? true : undefined;
  });
  expect(await stateOf(second)).toBe("running");
});

test("EC2 returns the console output of the guest", async () => {
  const { Output } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: first }));
  expect(Buffer.from(Output ?? "", "base64").toString("utf8")).toMatch(/Multi-User System/);
});

test("an image of an instance contains the files of the instance", async () => {
  await inGuest(state, first, "echo mine > /opt/mine; sync");
  const { ImageId } = await ec2.send(new CreateImageCommand({ InstanceId: first, Name: `copy of ${first}` }));
  await waitUntilBooted(first);
  const copy = await launch(ImageId);
  expect((await inGuest(state, copy, "cat /opt/mine")).stdout).toBe("mine");
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [copy] }));
  await waitForState(copy, "terminated");
});

test("an attached volume is a disk of the instance, and a volume from its snapshot is a disk of another instance", async () => {
  const zone = { AvailabilityZone: "us-east-1a", VolumeType: "gp3" } as const;
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ ...zone, Size: 1 }));
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: first, Device: "/dev/sdf" }));
  const write =
    "mkfs.ext4 -q /dev/sdf && mount /dev/sdf /mnt && echo chain > /mnt/chain && umount /mnt && echo done 2>&1";
  expect((await inGuest(state, first, write)).stdout).toBe("done");
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  await ec2.send(new DetachVolumeCommand({ VolumeId, InstanceId: first }));
  expect((await inGuest(state, first, "test -b /dev/sdf || echo gone")).stdout).toBe("gone");
  const copy = await ec2.send(new CreateVolumeCommand({ ...zone, SnapshotId }));
  await ec2.send(
    new AttachVolumeCommand({ VolumeId: copy.VolumeId, InstanceId: second, Device: "/dev/sdf" }),
  );
  expect((await inGuest(state, second, "mount /dev/sdf /mnt && cat /mnt/chain; umount /mnt")).stdout).toBe(
    "chain",
  );
});

test("RunInstances fails for an image that does not exist", async () => {
  const run = new RunInstancesCommand({ ImageId: "ami-00000000000000000", MinCount: 1, MaxCount: 1 });
  await expect(ec2.send(run)).rejects.toThrow(/does not exist/);
});

test("validate finds nothing on a new instance, and then each kind of leftover that is planted", async () => {
  const planted: [check: string, path: string, script: string][] = [
    [
      "seed",
      "/var/lib/x/node_seed.dat",
      "mkdir -p /var/lib/x; head -c 32 /dev/urandom > /var/lib/x/node_seed.dat",
    ],
    [
      "secret",
      "/srv/words",
      "echo legal winner thank year wave sausage worth useful legal winner thank yellow > /srv/words",
    ],
    [
      "secret",
      "/srv/key.pem",
      "openssl genpkey -algorithm ed25519 -out /srv/key.pem 2>/dev/null || ssh-keygen -q -t ed25519 -N '' -f /srv/key.pem",
    ],
    ["aws-credentials", "/root/.aws/credentials", "mkdir -p /root/.aws; echo x > /root/.aws/credentials"],
    ["wallet", "/var/lib/bitcoin/wallet.dat", "echo x > /var/lib/bitcoin/wallet.dat"],
    ["shell-history", "/root/.bash_history", "echo ls > /root/.bash_history"],
    ["world-writable", "/srv/open", "touch /srv/open; chmod 666 /srv/open"],
    ["owner", "/srv/nobodys", "touch /srv/nobodys; chown 4242:4242 /srv/nobodys"],
    ["owner", "/opt/eclair", "chown eclair /opt/eclair"],
    ["mode", "/usr/bin/eclair-bootstrap", "chmod 700 /usr/bin/eclair-bootstrap"],
    ["unit", "chrony.service is not enabled", "systemctl disable --quiet chrony"],
    ["swap", "/swapfile", "echo x > /swapfile"],
    ["swap", "/etc/fstab", "echo '/swapfile none swap sw 0 0' >> /etc/fstab"],
    ["core-dump", "/var/lib/bitcoin/core", "echo x > /var/lib/bitcoin/core"],
    ["core-dump", "/srv/java_pid12.hprof", "echo x > /srv/java_pid12.hprof"],
  ];
  const clean = await inGuest(state, second, "eclair-bootstrap validate");
  expect(clean.stdout).toBe("validate: nothing found");
  await inGuest(state, second, planted.map(([, , script]) => script).join("\n"));
  const findings = await inGuest(state, second, "eclair-bootstrap validate --as image");
  expect(findings.exitCode).toBe(1);
  const lines = findings.stdout.split("\n");
  for (const [check, path] of planted)
    expect(
      lines.some((line) => line.startsWith(`${check}: `) && line.includes(path)),
      `${check} ${path}`,
    ).toBe(true);
  // An instance may have these files and an image may not. Only `--as image` reports them.
  for (const check of ["machine-id", "host-key", "cloud-init-state", "network", "log"])
    expect(
      lines.some((line) => line.startsWith(`${check}: `)),
      check,
    ).toBe(true);
  expect(findings.stdout).not.toMatch(/sausage/);
});
