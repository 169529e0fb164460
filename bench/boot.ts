// Measures each phase of the boot of a node, and the time from launch to active.
import {
  CreateSnapshotCommand,
  DescribeVolumesCommand,
  RebootInstancesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import type { BootStatus } from "../bootstrap/contract/reports/boot.ts";
import { tags } from "../bootstrap/contract/tags.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { eventually } from "../test/e2e/cli.ts";
import { cluster, type Cluster } from "../test/e2e/node.ts";
import { median } from "./lab-bench.ts";

const runs = 5;

/** A boot, and the milliseconds from the network-online target to the hand-over. */
type MeasuredBoot = { readonly boot: BootStatus; readonly afterNetwork: number };

export async function measureBoot(lab: LabPaths, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  console.log("\nboot of a node, by phase (milliseconds)");
  const started = performance.now();
  let id = await nodes.launch(imageId);
  const first = (await nodes.waitUntilActive(id)).report?.boot;
  console.log(`launch → active, everything new: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  printPhases("volume: new and empty", first === undefined ? [] : [first]);

  const rebooted: MeasuredBoot[] = [];
  for (let run = 0; run < runs; run += 1) rebooted.push(await reboot(nodes, id));
  printPhases(
    `volume: already attached, median of ${runs}`,
    rebooted.map(({ boot }) => boot),
  );
  console.log(
    `network online → hand-over, median of ${runs}: ${Math.round(median(rebooted.map(({ afterNetwork }) => afterNetwork)))} ms`,
  );

  const reimaged: BootStatus[] = [];
  const durations: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await nodes.terminate(id);
    await nodes.waitUntilTerminated(id);
    const launchedAt = performance.now();
    id = await nodes.launch(imageId);
    const status = await nodes.waitUntilActive(id);
    durations.push(performance.now() - launchedAt);
    if (status.report !== undefined) reimaged.push(status.report.boot);
  }
  printPhases(`volume: kept from the previous instance, median of ${runs}`, reimaged);
  console.log(`re-image: launch → active, median of ${runs}: ${(median(durations) / 1000).toFixed(1)} s`);
  await measureSnapshotBoot(nodes, id, imageId);
}

async function measureSnapshotBoot(nodes: Cluster, id: string, imageId: string): Promise<void> {
  const ec2 = nodes.target.client(EC2Client);
  const { Volumes } = await ec2.send(
    new DescribeVolumesCommand({ Filters: [{ Name: `tag:${tags.cluster}`, Values: [nodes.name] }] }),
  );
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: Volumes?.[0]?.VolumeId }));
  const others = await cluster(nodes.lab.state, `${nodes.name}-snapshot`, imageId);
  const other = await others.launch(imageId, {
    chainVolume: { sizeGibibytes: 3, snapshotId: SnapshotId },
    // The snapshot contains the wallet of the other node, so this node uses another wallet.
    bitcoind: { ...others.configuration.bitcoind, wallet: "from-snapshot" },
  });
  const status = await others.waitUntilActive(other);
  if (status.report !== undefined) printPhases("volume: new, from a snapshot", [status.report.boot]);
  await others.terminate(other);
  await nodes.terminate(id);
}

async function reboot(nodes: Cluster, id: string): Promise<MeasuredBoot> {
  const before = (await nodes.status(id))?.report?.boot.startedAt;
  await nodes.target.client(EC2Client).send(new RebootInstancesCommand({ InstanceIds: [id] }));
  const boot = await eventually("the instance to be active again", async () => {
    const report = (await nodes.status(id))?.report;
    return report?.active === true && report.boot.startedAt !== before ? report.boot : undefined;
  });
  const shown = await nodes.inGuest(
    id,
    `systemctl show --value --property=ExecMainExitTimestampMonotonic eclair-bootstrap.service
     systemctl show --value --property=ActiveEnterTimestampMonotonic network-online.target`,
  );
  const [handedOver = Number.NaN, online = Number.NaN] = shown.stdout
    .split("\n")
    .filter((text) => text !== "")
    .map(Number);
  return { boot, afterNetwork: (handedOver - online) / 1000 };
}

function printPhases(title: string, boots: readonly BootStatus[]): void {
  const phases = (boots[0]?.phases ?? []).map(({ name }) => {
    const times = boots.map(
      ({ phases: all }) => all.find((phase) => phase.name === name)?.durationMs ?? Number.NaN,
    );
    return { name, milliseconds: median(times) };
  });
  const sum = phases.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const text = phases.map(({ name, milliseconds }) => `${name} ${milliseconds}`).join(", ");
  console.log(`${title}: ${sum} = ${text}`);
}
