import Handlebars from "handlebars";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "../channels/channel-change.ts";
import type { ReleaseStatus } from "./status.ts";

const template = join(import.meta.dirname, "page.hbs");

/** One self-contained page about channels and versions, without scripts, fonts or pictures from another server. */
export function statusPage(status: ReleaseStatus): string {
  // Handlebars escapes for HTML by default: reasons and names come from people.
  const render = Handlebars.compile(readFileSync(template, "utf8"));
  return render({
    readAt: status.readAt.slice(0, 16).replace("T", " "),
    regions: status.regions,
    channels: status.channels.map((channel) => ({
      ...channel,
      version: channel.version ?? "no version",
      good: channel.state === "ok",
      bad: channel.state === "mixed",
      lastChange: channel.lastChange && {
        text: describe(channel.lastChange),
        at: channel.lastChange.at.slice(0, 16).replace("T", " "),
        reason: channel.lastChange.reason,
      },
      cells: channel.cells.filter(({ imageId, problem }) => imageId !== undefined || problem !== undefined),
    })),
    versions: status.versions.map((version) => ({
      ...version,
      created: version.createdAt.slice(0, 16).replace("T", " "),
      good: version.state === "published",
      bad: version.state === "withdrawn" || version.state === "disabled",
      architectures: version.architectures.join(", "),
      channels: version.channels.join(", ") || "none",
    })),
  });
}
