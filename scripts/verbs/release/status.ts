import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { statusPage } from "../../release/status/page.ts";
import { releaseStatus, type ReleaseStatus } from "../../release/status/status.ts";
import { createTable } from "../../ui/table.ts";
import { openRelease, withRelease, type ReleaseFlags } from "./release-flags.ts";

type Flags = ReleaseFlags & { readonly json: boolean; readonly page?: string };

export function addStatus(release: Command): void {
  withRelease(release.command("status"))
    .description("show the versions, and what each channel has in each region")
    .option("--json", "print JSON", false)
    .option("--page <file>", "also write the status as an HTML page")
    .action(status);
}

async function status(flags: Flags): Promise<void> {
  const { target, store, release } = await openRelease(flags);
  const found = await releaseStatus(target, store, release);
  if (flags.page !== undefined) writeFileSync(flags.page, statusPage(found));
  console.log(flags.json ? JSON.stringify(found) : statusText(found));
}

function statusText({ channels, versions }: ReleaseStatus): string {
  const cells = createTable(["channel", "region", "architecture", "version", "image", "state"]);
  for (const { channel, version, state, cells: ofChannel } of channels) {
    if (ofChannel.every(({ imageId }) => imageId === undefined))
      cells.push([channel, "", "", version ?? "-", "-", state]);
    else
      for (const cell of ofChannel)
        if (cell.imageId !== undefined || cell.problem !== undefined)
          cells.push([
            ...[channel, cell.region, cell.architecture, cell.version ?? "-", cell.imageId ?? "-"],
            cell.problem ?? state,
          ]);
  }
  const list = createTable(["version", "state", "created", "architectures", "channels", "detail"]);
  for (const version of versions)
    list.push([
      ...[version.version, version.state, version.createdAt.slice(0, 16)],
      ...[version.architectures.join(", "), version.channels.join(", ") || "-", version.detail ?? ""],
    ]);
  const changes = channels.flatMap(({ channel, change }) =>
    change === undefined ? [] : [`${channel}: ${change} is unfinished`],
  );
  return [
    ...changes,
    cells.toString(),
    versions.length === 0 ? "no version is published" : list.toString(),
  ].join("\n");
}
