import type { Command } from "commander";
import { z } from "zod";
import { checkRelease } from "../../release/document/check.ts";
import { exampleRelease } from "../../release/document/example.ts";
import { Release } from "../../release/document/schema.ts";
import { exitCodes } from "../../ui/errors.ts";
import { createTable } from "../../ui/table.ts";
import { addChannelVerbs } from "./channels.ts";
import { addPrune } from "./prune.ts";
import { addPublish } from "./publish.ts";
import { addStatus } from "./status.ts";
import { openRelease, withRelease, type ReleaseFlags } from "./release-flags.ts";

export function addRelease(program: Command): void {
  const release = program
    .command("release")
    .description("publish tested images to regions and accounts, and move channels between them");
  release
    .command("new")
    .description("print a commented example of the release document")
    .action(() => console.log(exampleRelease));
  release
    .command("schema")
    .description("print the JSON Schema of the release document, for editors")
    .action(() => console.log(JSON.stringify(z.toJSONSchema(Release, { io: "input" }), undefined, 2)));
  withRelease(release.command("check"))
    .description("check the release document, and its keys, subnets and bucket in AWS")
    .option("--json", "print JSON", false)
    .action(check);
  addPublish(release);
  addChannelVerbs(release);
  addStatus(release);
  addPrune(release);
}

async function check(flags: ReleaseFlags & { readonly json: boolean }): Promise<void> {
  const { target, release } = await openRelease(flags);
  const checked = await checkRelease(target, release);
  if (checked.some(({ problem }) => problem !== undefined)) process.exitCode = exitCodes.failed;
  if (flags.json) return console.log(JSON.stringify(checked));
  const table = createTable(["", "result"]);
  for (const { subject, problem } of checked) table.push([subject, problem ?? "ok"]);
  console.log(table.toString());
  const { organizations, organizationalUnits } = release.principals;
  if (organizations.length + organizationalUnits.length > 0 && release.shareSnapshots === "accounts")
    console.log(
      "Organizations and organizational units may launch the images, and cannot copy them: EC2 shares snapshots with accounts only.",
    );
}
