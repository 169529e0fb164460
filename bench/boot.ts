// How long an instance takes to become the node: the boot by phase, and from launch to traffic.
import { CreateSnapshotCommand, DescribeVolumesCommand, RebootInstancesCommand } from "@aws-sdk/client-ec2";
import { clusterTag } from "../bootstrap/aws/tags.ts";
import type { BootRecord } from "../bootstrap/phases.ts";
import type { LabPlace } from "../scripts/lab/place.ts";
import { eventually } from "../test/e2e/cli.ts";
import { cluster, type Cluster } from "../test/e2e/node.ts";
import { median } from "./lab-bench.ts";

const runs = 5;

/** A boot and, in milliseconds, what of it came after the network was there. */
type Measured = { readonly boot: BootRecord; readonly afterNetwork: number };

export async function measureBoot(lab: LabPlace, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  console.log("\nboot of a node, by phase (milliseconds)");
  const started = performance.now();
  let id = await nodes.launch(imageId);
  const first = (await nodes.active(id)).state?.boot;
  console.log(`launch → active, all new: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  line("volume: new and empty", first === undefined ? [] : [first]);

  const rebooted: Measured[] = [];
  for (let run = 0; run < runs; run += 1) rebooted.push(await reboot(nodes, id));
  line(
    `volume: attached already, median of ${runs}`,
    rebooted.map(({ boot }) => boot),
  );
  console.log(
    `network online → handed over to bitcoind, median of ${runs}: ${Math.round(median(rebooted.map(({ afterNetwork }) => afterNetwork)))} ms`,
  );

  const kept: BootRecord[] = [];
  const took: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await nodes.terminate(id);
    await nodes.gone(id);
    const begun = performance.now();
    id = await nodes.launch(imageId);
    const status = await nodes.active(id);
    took.push(performance.now() - begun);
    if (status.state !== undefined) kept.push(status.state.boot);
  }
  line(`volume: kept from the last instance, median of ${runs}`, kept);
  console.log(`re-image: launch → active, median of ${runs}: ${(median(took) / 1000).toFixed(1)} s`);
  await fromSnapshot(nodes, id, imageId);
}

async function fromSnapshot(nodes: Cluster, id: string, imageId: string): Promise<void> {
  const { ec2 } = nodes.target;
  const { Volumes } = await ec2.send(
    new DescribeVolumesCommand({ Filters: [{ Name: `tag:${clusterTag}`, Values: [nodes.name] }] }),
  );
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: Volumes?.[0]?.VolumeId }));
  const others = await cluster(nodes.lab.state, `${nodes.name}-snapshot`, imageId);
  const other = await others.launch(imageId, {
    dataVolume: { sizeGibibytes: 3, snapshot: SnapshotId },
    // The snapshot holds the other node's wallet, which is left alone.
    bitcoind: { ...others.configuration.bitcoind, wallet: "from-snapshot" },
  });
  const status = await others.active(other);
  if (status.state !== undefined) line("volume: new, from a snapshot", [status.state.boot]);
  await others.terminate(other);
  await nodes.terminate(id);
}

async function reboot(nodes: Cluster, id: string): Promise<Measured> {
  const before = (await nodes.status(id))?.state?.boot.startedAt;
  await nodes.target.ec2.send(new RebootInstancesCommand({ InstanceIds: [id] }));
  const boot = await eventually("the instance to be the node again", async () => {
    const state = (await nodes.status(id))?.state;
    return state?.active === true && state.boot.startedAt !== before ? state.boot : undefined;
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

function line(title: string, boots: readonly BootRecord[]): void {
  const phases = (boots[0]?.phases ?? []).map(({ name }) => {
    const times = boots.map(
      ({ phases: all }) => all.find((phase) => phase.name === name)?.milliseconds ?? Number.NaN,
    );
    return { name, milliseconds: median(times) };
  });
  const sum = phases.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const text = phases.map(({ name, milliseconds }) => `${name} ${milliseconds}`).join(", ");
  console.log(`${title}: ${sum} = ${text}`);
}
