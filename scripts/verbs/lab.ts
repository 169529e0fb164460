import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { spawnSync } from "node:child_process";
import Table from "cli-table3";
import type { Command } from "commander";
import { Failure } from "../core/failure.ts";
import { takeDown } from "../lab/down.ts";
import { isHeld, readFacts } from "../lab/facts.ts";
import { inGuestWords } from "../lab/guest/look.ts";
import { defaultStateFolder, labPlace } from "../lab/place.ts";
import { bringUp } from "../lab/up.ts";
import { labTarget } from "../target/target.ts";

type LabFlags = { readonly state: string; readonly json?: boolean };

export function addLab(program: Command): void {
  const lab = program.command("lab").enablePositionalOptions().description("a small EC2 on this machine");
  const withState = (command: Command) =>
    command.option("--state <folder>", "the folder that holds all of this lab", defaultStateFolder());

  withState(lab.command("up").description("bring the lab up, or go on with the one that is up")).action(
    async (flags: LabFlags) => {
      const place = labPlace(flags.state);
      const facts = await bringUp(place);
      console.log(`The lab is up: ${facts.endpoint} answers AWS' APIs; its state is ${place.state}.`);
    },
  );
  withState(lab.command("down").description("end the lab; nothing of it stays")).action(
    async (flags: LabFlags) => {
      await takeDown(labPlace(flags.state));
      console.log("The lab is down.");
    },
  );
  withState(lab.command("status").description("what the lab runs"))
    .option("--json", "as JSON", false)
    .action(status);
  withState(
    lab
      .command("shell <instance> [command...]")
      .passThroughOptions()
      .description("a shell inside a guest, or one command there"),
  ).action(async (instance: string, command: string[], flags: LabFlags) => {
    const asked = command[0] === "--" ? command.slice(1) : command;
    const words = asked.length > 0 ? asked : ["/bin/bash", "--login"];
    const [enter = "", ...args] = inGuestWords(labPlace(flags.state), instance, words);
    const result = spawnSync(enter, args, { stdio: "inherit" });
    process.exitCode = result.status ?? 1;
  });
}

async function status(flags: LabFlags): Promise<void> {
  const place = labPlace(flags.state);
  const facts = readFacts(place);
  const up = facts !== undefined && isHeld(facts);
  const instances = up ? await describe(place) : [];
  if (flags.json === true)
    return console.log(JSON.stringify({ up, state: place.state, endpoint: facts?.endpoint, instances }));
  if (!up)
    throw new Failure({
      code: "lab.absent",
      doing: `looking at the lab in ${place.state}`,
      cause: facts === undefined ? "there is none" : "it has ended",
      remedy: "run `eclair-ami lab up`; it clears what was left",
    });
  console.log(`up: ${facts.endpoint}, namespace ${place.netns}, state ${place.state}`);
  const table = new Table({
    head: ["instance", "state", "image", "address", "zone", "name"],
    style: { head: [] },
  });
  for (const row of instances) table.push([row.id, row.state, row.image, row.address, row.zone, row.name]);
  console.log(instances.length > 0 ? table.toString() : "no instance runs");
}

async function describe(place: ReturnType<typeof labPlace>) {
  const { Reservations } = await labTarget(place).ec2.send(new DescribeInstancesCommand({}));
  return (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated")
    .map((instance) => ({
      id: instance.InstanceId ?? "",
      state: instance.State?.Name ?? "",
      image: instance.ImageId ?? "",
      address: instance.PrivateIpAddress ?? "",
      zone: instance.Placement?.AvailabilityZone ?? "",
      name: instance.Tags?.find((tag) => tag.Key === "Name")?.Value ?? "",
    }));
}
