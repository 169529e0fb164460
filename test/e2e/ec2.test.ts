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
} from "@aws-sdk/client-ec2";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Manifest } from "../../scripts/bake/manifest.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { labTarget } from "../../scripts/target/target.ts";
import { booted as bootedIn, eventually, inGuest } from "./cli.ts";

const state = inject("labState");
const target = labTarget(labPlace(state));
const { ec2 } = target;
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
  await booted(id);
  return id;
}

const booted = (id: string) => bootedIn(state, id);

async function stateOf(id: string): Promise<string | undefined> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

const becomes = (id: string, wanted: string) =>
  eventually(`${id} to be ${wanted}`, async () => ((await stateOf(id)) === wanted ? true : undefined));

let one: string;
let two: string;
beforeAll(async () => {
  [one, two] = await Promise.all([launch(), launch(undefined, 2)]);
});
afterAll(async () => {
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: started }));
});

test("two instances of one image have their own machine id, host keys and address", async () => {
  const facts = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname";
  const [a, b] = await Promise.all([inGuest(state, one, facts), inGuest(state, two, facts)]);
  const [left, right] = [a.stdout.split("\n"), b.stdout.split("\n")];
  for (const index of [0, 1, 2]) expect(left[index]).not.toBe(right[index]);
});

test("without user-data of ours the bootstrap says whom it is on and starts nothing", async () => {
  const { stdout } = await inGuest(
    state,
    one,
    "journalctl --unit eclair-bootstrap --output cat; systemctl is-active bitcoind eclair@a",
  );
  expect(stdout).toContain(`"instanceId":"${one}"`);
  expect(stdout).toContain('"eclairAmi":"idle"');
  expect(stdout.trim().split("\n").slice(-2)).toEqual(["inactive", "inactive"]);
});

test("the metadata service answers the instance alone, and with a token alone", async () => {
  const { stdout } = await inGuest(
    state,
    one,
    `curl -s -o /dev/null -w '%{http_code} ' http://169.254.169.254/latest/meta-data/instance-id
     token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
     curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id`,
  );
  expect(stdout).toBe(`401 ${one}`);
});

test("the metadata service's answers end at the hop limit", async () => {
  // A container on the instance: its own namespace behind the instance, one hop further.
  const script = (seconds: number) => `
    ip netns add inner; ip link add outer type veth peer name in netns inner
    ip address add 100.64.15.1/30 dev outer; ip link set outer up
    ip -n inner address add 100.64.15.2/30 dev in; ip -n inner link set in up; ip -n inner route add default via 100.64.15.1
    nft add table ip t; nft 'add chain ip t p { type nat hook postrouting priority 100; }'; nft add rule ip t p ip saddr 100.64.15.2 masquerade
    nft flush chain inet filter forward; nft 'add chain inet filter forward { policy accept; }'
    ip netns exec inner curl -s -m ${seconds} -o /dev/null -w '%{http_code}' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token`;
  const ask = (seconds: number) =>
    `mount -o remount,rw /proc/sys && echo 1 > /proc/sys/net/ipv4/ip_forward; ${script(seconds)}`;
  // One instance has a hop limit of 1, the other of 2. An answer that never comes is waited for less long.
  expect((await inGuest(state, one, ask(2))).stdout).toBe("000");
  expect((await inGuest(state, two, ask(20))).stdout).toBe("200");
});

test("the router's hardware address stays the same while guests come and go", async () => {
  const { stdout } = await inGuest(state, one, "curl -s -o /dev/null http://100.64.8.10/; cat /proc/net/arp");
  expect(stdout).toMatch(/^100\.64\.0\.1 .* 02:00:00:00:00:0a /m);
});

test("a full disk is the guest's own", async () => {
  const { stdout } = await inGuest(
    state,
    one,
    "fallocate -l 20G /fill 2>&1; df --output=size -B1G / | tail -1; rm -f /fill",
  );
  expect(stdout).toMatch(/No space left on device/);
  expect(Number(stdout.trim().split("\n").at(-1))).toBe(8);
});

test("stopping and starting keeps the disk, and so does a reboot", async () => {
  await inGuest(state, one, "echo kept > /root/kept; sync");
  await ec2.send(new StopInstancesCommand({ InstanceIds: [one] }));
  await becomes(one, "stopped");
  await ec2.send(new StartInstancesCommand({ InstanceIds: [one] }));
  await booted(one);
  const first = (
    await inGuest(
      state,
      one,
      "cat /proc/sys/kernel/random/boot_id /root/kept; systemctl show --value -p UserspaceTimestampMonotonic",
    )
  ).stdout;
  await ec2.send(new RebootInstancesCommand({ InstanceIds: [one] }));
  await booted(one);
  const second = (
    await inGuest(
      state,
      one,
      "cat /proc/sys/kernel/random/boot_id /root/kept; systemctl show --value -p UserspaceTimestampMonotonic",
    )
  ).stdout;
  expect(first).toContain("kept");
  expect(second).toContain("kept");
  expect(second.split("\n")[2]).not.toBe(first.split("\n")[2]);
});

test("a guest that powers itself off is a stopped instance, and one that reboots itself is back", async () => {
  // Somebody is in it meanwhile, whom systemd stops before it ends all processes.
  const visitor = inGuest(state, two, "trap '' TERM; while true; do sleep 1; done");
  await inGuest(state, two, "systemctl poweroff");
  await becomes(two, "stopped");
  expect((await visitor).exitCode).not.toBe(0);
  await ec2.send(new StartInstancesCommand({ InstanceIds: [two] }));
  await booted(two);
  await inGuest(state, two, "touch /run/before; systemctl reboot");
  await eventually("the guest to come back", async () => {
    const { stdout } = await inGuest(state, two, "ls /run/before 2>/dev/null; systemctl is-system-running");
    return stdout.trim() === "running" ? true : undefined;
  });
  expect(await stateOf(two)).toBe("running");
});

test("the console is the guest's", async () => {
  const { Output } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: one }));
  expect(Buffer.from(Output ?? "", "base64").toString("utf8")).toMatch(/Multi-User System/);
});

test("an image of an instance holds what the instance held", async () => {
  await inGuest(state, one, "echo mine > /opt/mine; sync");
  const { ImageId } = await ec2.send(new CreateImageCommand({ InstanceId: one, Name: `copy of ${one}` }));
  await booted(one);
  const copy = await launch(ImageId);
  expect((await inGuest(state, copy, "cat /opt/mine")).stdout).toBe("mine");
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [copy] }));
  await becomes(copy, "terminated");
});

test("a volume is a disk of the instance, and a snapshot of it is a disk of another", async () => {
  const zone = { AvailabilityZone: "us-east-1a", VolumeType: "gp3" } as const;
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ ...zone, Size: 1 }));
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: one, Device: "/dev/sdf" }));
  const write =
    "mkfs.ext4 -q /dev/sdf && mount /dev/sdf /mnt && echo chain > /mnt/chain && umount /mnt && echo done 2>&1";
  expect((await inGuest(state, one, write)).stdout).toBe("done");
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  await ec2.send(new DetachVolumeCommand({ VolumeId, InstanceId: one }));
  expect((await inGuest(state, one, "test -b /dev/sdf || echo gone")).stdout).toBe("gone");
  const copy = await ec2.send(new CreateVolumeCommand({ ...zone, SnapshotId }));
  await ec2.send(new AttachVolumeCommand({ VolumeId: copy.VolumeId, InstanceId: two, Device: "/dev/sdf" }));
  expect((await inGuest(state, two, "mount /dev/sdf /mnt && cat /mnt/chain; umount /mnt")).stdout).toBe(
    "chain",
  );
});

test("an image that the lab has no disk of is not found", async () => {
  const run = new RunInstancesCommand({ ImageId: "ami-00000000000000000", MinCount: 1, MaxCount: 1 });
  await expect(ec2.send(run)).rejects.toThrow(/does not exist/);
});

test("validate finds each kind of leftover that is planted, and nothing before", async () => {
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
  const clean = await inGuest(state, two, "eclair-bootstrap validate");
  expect(clean.stdout).toBe("validate: nothing found");
  await inGuest(state, two, planted.map(([, , script]) => script).join("\n"));
  const found = await inGuest(state, two, "eclair-bootstrap validate --stage image");
  expect(found.exitCode).toBe(1);
  const lines = found.stdout.split("\n");
  for (const [check, path] of planted)
    expect(
      lines.some((line) => line.startsWith(`${check}: `) && line.includes(path)),
      `${check} ${path}`,
    ).toBe(true);
  // What only an image must not hold, an instance has by right: seen with the image's eyes alone.
  for (const check of ["machine-id", "host-key", "cloud-init-state", "log"])
    expect(
      lines.some((line) => line.startsWith(`${check}: `)),
      check,
    ).toBe(true);
  expect(found.stdout).not.toMatch(/sausage/);
});
