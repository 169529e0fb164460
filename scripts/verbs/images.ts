import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import Table from "cli-table3";
import type { Command } from "commander";
import { recordedManifests } from "../bake/bake.ts";
import { manifestSchema, type Manifest } from "../bake/manifest.ts";
import { Failure } from "../core/failure.ts";
import { differences } from "../images/diff.ts";
import { targetOf, withTarget, type TargetFlags } from "./target-flags.ts";

type Flags = TargetFlags & { readonly json: boolean };

export function addImages(program: Command): void {
  const images = program.command("images").description("the images that were baked");
  withTarget(images.command("list", { isDefault: true }))
    .description("list the images of a target, with the facts that matter")
    .option("--json", "as JSON", false)
    .action(list);
  images
    .command("diff <a> <b>")
    .description("what changed between two images; their manifests must be in this checkout's build folder")
    .option("--json", "as JSON", false)
    .action((a: string, b: string, { json }: { json: boolean }) => {
      const found = differences(manifestFor(a), manifestFor(b));
      if (json) return console.log(JSON.stringify(found));
      const table = new Table({ head: ["", a, b], style: { head: [], border: [] } });
      for (const item of found) table.push([item.what, item.a || "-", item.b || "-"]);
      console.log(found.length === 0 ? "nothing that the manifests know of" : table.toString());
    });
  images
    .command("schema")
    .description("the JSON Schema of a manifest")
    .action(() => console.log(JSON.stringify(manifestSchema(), undefined, 2)));
}

function manifestFor(id: string): Manifest {
  const found = recordedManifests().find((manifest) => manifest.image.id === id || manifest.bakeId === id);
  if (found !== undefined) return found;
  throw new Failure({
    code: "image.unknown",
    doing: `reading the manifest of ${id}`,
    cause: "no manifest in the build folder is of that image",
    remedy: "name an image id or a bake id of this checkout; `ls build` shows the bakes",
    exit: 2,
  });
}

async function list(flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const { Images } = await target.ec2.send(
    new DescribeImagesCommand({
      Owners: ["self"],
      Filters: [{ Name: "tag-key", Values: ["eclair-ami:bake"] }],
    }),
  );
  const rows = (Images ?? [])
    .map((image) => {
      const tags = new Map(image.Tags?.map((tag) => [tag.Key ?? "", tag.Value ?? ""]));
      return {
        id: image.ImageId ?? "",
        name: image.Name ?? "",
        created: image.CreationDate ?? "",
        eclair: tags.get("eclair-ami:eclair") ?? "",
        bitcoind: tags.get("eclair-ami:bitcoind") ?? "",
        testBoot: tags.get("eclair-ami:test-boot") ?? "none",
        release: tags.get("Release") === "true",
        reason: tags.get("ReleaseReason") ?? "",
      };
    })
    .toSorted((a, b) => b.created.localeCompare(a.created));
  if (flags.json) return console.log(JSON.stringify(rows));
  const table = new Table({
    head: ["image", "created", "eclair", "bitcoind", "test boot", "release"],
    style: { head: [], border: [] },
  });
  for (const row of rows)
    table.push([row.id, row.created, row.eclair, row.bitcoind, row.testBoot, row.release ? "yes" : "no"]);
  console.log(rows.length === 0 ? "no image yet: run `eclair-ami bake`" : table.toString());
}
