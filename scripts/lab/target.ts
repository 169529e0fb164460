import { arch } from "node:os";
import type { EC2Client } from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { defaultInstanceTypes } from "../target/aws.ts";
import { clientFactory, type ClientSettings, type Target } from "../target/target.ts";
import { allZones, home, minerPort, otherZones, services, zones, type Scope } from "./addresses.ts";
import { isLabRunning, labNotRunning, readFacts, type LabFacts } from "./facts.ts";
import type { LabPaths } from "./paths.ts";

export type LabScope = {
  /** By default, the region of the clusters. */
  readonly region?: string | undefined;
  /** A role to assume for every call, also one of the second account. */
  readonly roleArn?: string | undefined;
};

/**
 * The lab as a target. Its API checks no credentials of a human user.
 * @throws EclairAmiError `lab.not-running`, `lab.region-unknown`
 */
export function labTarget(lab: LabPaths, { region = home.region, roleArn }: LabScope = {}): Target {
  const facts = readFacts(lab);
  if (facts?.network === undefined || !isLabRunning(facts)) throw labNotRunning(lab, facts);
  const accountId = roleArn?.split(":")[4] ?? home.accountId;
  const subnetId = subnetOf(facts, { accountId, region });
  return {
    name: "lab",
    region,
    client: clientFactory(
      { ...labSettings(facts), region, ...(roleArn !== undefined && { roleArn }) },
      failIfLabGone(lab, facts),
    ),
    packerVariables: {
      ec2_endpoint: facts.endpoint,
      ssh_interface: "private_ip",
      polling_seconds: "1",
      subnet_id: subnetId,
    },
    commandPrefix: ["nsenter", `--net=/run/netns/${lab.netns}`],
    instance: { type: defaultInstanceTypes[arch() === "arm64" ? "arm64" : "x86_64"], subnetId },
    regtestPeer: `${services.miner}:${minerPort}`,
  };
}

/** The first subnet of a region of an account. */
function subnetOf({ network, otherNetworks }: LabFacts, { accountId, region }: Scope): string {
  const isThere = (scope: Scope) => scope.accountId === accountId && scope.region === region;
  const networkThere = isThere(home) ? network : otherNetworks.find(isThere);
  const subnetId =
    networkThere?.subnetIds[(isThere(home) ? zones : otherZones.filter(isThere))[0]?.name ?? ""];
  if (subnetId !== undefined) return subnetId;
  throw new EclairAmiError({
    code: "lab.region-unknown",
    operation: "choosing a region of the lab",
    message: `the account ${accountId} has no network in ${region}`,
    remedy: `the lab has ${allZones.map((zone) => `${zone.region} (account ${zone.accountId})`).join(", ")}`,
    exitCode: 2,
  });
}

/** The settings of a client of the lab's API. */
export function labSettings(facts: LabFacts) {
  return {
    region: home.region,
    endpoint: facts.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
  } as const satisfies ClientSettings;
}

/**
 * Makes each call of a client fail when the lab is gone: without the lab's network link, a packet to the lab's address
 * would leave this machine.
 */
function failIfLabGone(lab: LabPaths, facts: LabFacts): (client: unknown) => void {
  return (client) => {
    const { middlewareStack } = client as Pick<EC2Client, "middlewareStack">;
    middlewareStack.add(
      (next) => async (call) => {
        if (isLabRunning(facts)) return await next(call);
        throw new EclairAmiError({
          code: "lab.stopped",
          operation: `using the lab in ${lab.state}`,
          message: "the lab was stopped during this call",
          remedy: "run `eclair-ami lab up`, then run this command again",
        });
      },
      { step: "finalizeRequest" },
    );
  };
}
