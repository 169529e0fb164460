import { paginateDescribeImages, EC2Client, type Image } from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { readManifestOf } from "../../image/build-folder.ts";
import { testImage } from "../../image/bake/image-test.ts";
import { diffManifests } from "../../image/diff.ts";
import { manifestSchema } from "../../image/manifest.ts";
import { inRegion } from "../../target/scoped.ts";
import { exitCodes } from "../../ui/errors.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";
import { createTable } from "../../ui/table.ts";
import { allItems } from "../../target/pages.ts";

type ListFlags = TargetFlags & { readonly json: boolean };

export function addImages(program: Command): void {
  const images = program.command("images").description("list and compare baked images");
  withTarget(images.command("list", { isDefault: true }))
    .description("list the images of a target with their versions and their release status")
    .option("--json", "print JSON", false)
    .action(list);
  withTarget(images.command("test <image>"))
    .description("launch an instance that tests an image in this account and region, and terminate it")
    .option("--subnet <id>", "the subnet of the instance")
    .option("--instance-type <type>", "the type of the instance")
    .option("--json", "print JSON", false)
    .action(test);
  images
    .command("diff <a> <b>")
    .description("compare two images by their manifests in the build folder of this checkout")
    .option("--json", "print JSON", false)
    .action(diff);
  images
    .command("schema")
    .description("print the JSON Schema of a manifest")
    .action(() => console.log(JSON.stringify(manifestSchema(), undefined, 2)));
}

function diff(a: string, b: string, { json }: { json: boolean }): void {
  const differences = diffManifests(readManifestOf(a), readManifestOf(b));
  if (json) return console.log(JSON.stringify(differences));
  if (differences.length === 0) return console.log("the manifests contain no difference");
  const table = createTable(["", a, b]);
  for (const item of differences) table.push([item.property, item.a || "-", item.b || "-"]);
  console.log(table.toString());
}

type TestFlags = ListFlags & { readonly subnet?: string; readonly instanceType?: string };

async function test(imageId: string, flags: TestFlags): Promise<void> {
  const target = targetOf(flags);
  const { subnet = target.instance.subnetId, instanceType = target.instance.type } = flags;
  const instance = { type: instanceType, ...(subnet !== undefined && { subnetId: subnet }) };
  const { result, durationSeconds } = await testImage(inRegion(target, target.region, instance), imageId, {
    ...{ id: randomUUID(), tags: { [tags.imageTest]: imageId }, keepOnFailure: false },
    signal: interruptSignal(),
  });
  if (!result.passed) process.exitCode = exitCodes.failed;
  if (flags.json) return console.log(JSON.stringify({ ...result, durationSeconds }));
  for (const { name, passed, detail } of result.checks)
    console.log(`${passed ? "passed" : "failed"}  ${name}: ${detail}`);
}

async function list(flags: ListFlags): Promise<void> {
  const images = await allItems(
    paginateDescribeImages(
      { client: targetOf(flags).client(EC2Client) },
      { Owners: ["self"], Filters: [{ Name: "tag-key", Values: [tags.bakeId] }] },
    ),
    ({ Images }) => Images,
  );
  const rows = images.map(describeImage).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (flags.json) return console.log(JSON.stringify(rows));
  if (rows.length === 0) return console.log("no image exists: run `eclair-ami bake`");
  const table = createTable(["image", "created", "eclair", "bitcoind", "image test", "release"]);
  for (const row of rows)
    table.push([
      row.id,
      row.createdAt,
      row.eclairVersion,
      row.bitcoindVersion,
      row.imageTest,
      row.release ? "yes" : "no",
    ]);
  console.log(table.toString());
}

function describeImage(image: Image) {
  const tagOf = (key: string) => image.Tags?.find(({ Key }) => Key === key)?.Value ?? "";
  return {
    id: image.ImageId ?? "",
    name: image.Name ?? "",
    createdAt: image.CreationDate ?? "",
    eclairVersion: tagOf(tags.eclairVersion),
    bitcoindVersion: tagOf(tags.bitcoindVersion),
    imageTest: tagOf(tags.imageTest) || "none",
    release: tagOf(tags.release) === "true",
    releaseReason: tagOf(tags.releaseReason),
  };
}
