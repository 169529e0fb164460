import type { Command } from "commander";
import { promote } from "../../release/channels/promote.ts";
import { withdraw } from "../../release/channels/withdraw.ts";
import { emit } from "../../ui/tasks.ts";
import { openRelease, withRelease, type ReleaseFlags } from "./release-flags.ts";

type PromoteFlags = ReleaseFlags & {
  readonly to: string;
  readonly rollback: boolean;
  readonly reason?: string;
  readonly json: boolean;
};

type WithdrawFlags = ReleaseFlags & {
  readonly reason: string;
  readonly disable: boolean;
  readonly json: boolean;
};

export function addChannelVerbs(release: Command): void {
  withRelease(release.command("promote <version>"))
    .description("move a channel to a version in all regions; an interrupted run is finished or reverted")
    .requiredOption("--to <channel>", "the channel")
    .option("--rollback", "permit a version that is older than the channel's current one", false)
    .option("--reason <text>", "why, for the history of the channel")
    .option("--json", "print JSON events, one per line", false)
    .action(promoteVerb);
  withRelease(release.command("withdraw <version>"))
    .description("deprecate and tag the images of a version everywhere, and return its channels")
    .requiredOption("--reason <text>", "why, for the tag and the history")
    .option("--disable", "also disable the images, unless something uses them", false)
    .option("--json", "print JSON events, one per line", false)
    .action(withdrawVerb);
}

async function promoteVerb(version: string, flags: PromoteFlags): Promise<void> {
  const context = await openRelease(flags);
  const { to: channel, rollback, reason, json } = flags;
  const changed = await promote(
    { ...context, ...progress(json) },
    { version, channel, rollback, reason, by: context.by },
  );
  if (json) return emit({ event: "promote.succeeded", version, channel, changed });
  console.log(changed ? `${channel} has ${version} in all regions` : `${channel} has ${version} already`);
}

async function withdrawVerb(version: string, flags: WithdrawFlags): Promise<void> {
  const context = await openRelease(flags);
  const { reason, disable, json } = flags;
  const returns = await withdraw(
    { ...context, ...progress(json) },
    { version, reason, disable, by: context.by },
  );
  if (json) return emit({ event: "withdraw.succeeded", version, returns });
  for (const { channel, to, reason: why } of returns)
    console.log(to === null ? `${channel} is empty: ${why}` : `${channel} returned to ${to}: ${why}`);
  console.log(`${version} is withdrawn in all regions${disable ? ", and its images are disabled" : ""}`);
}

const progress = (json: boolean) => ({
  onRegion: (channel: string, region: string) =>
    json ? emit({ event: "region.changed", channel, region }) : console.log(`${channel}: ${region} is done`),
  onWait: (message: string) =>
    json ? emit({ event: "waiting", message }) : console.log(`waiting: ${message}`),
});
