import { arch } from "node:os";
import type { EC2Client } from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { defaultInstanceTypes } from "../target/aws.ts";
import { clientFactory, type ClientSettings, type Target } from "../target/target.ts";
import { minerPort, region, services, zones } from "./addresses.ts";
import { isLabRunning, labNotRunning, readFacts, type LabFacts } from "./facts.ts";
import type { LabPaths } from "./paths.ts";

/**
 * The lab as a target. Its API checks no credentials of a human user.
 * @throws EclairAmiError `lab.not-running`
 */
export function labTarget(lab: LabPaths): Target {
  const facts = readFacts(lab);
  if (facts?.network === undefined || !isLabRunning(facts)) throw labNotRunning(lab, facts);
  const subnetId = facts.network.subnetIds[zones[0]?.name ?? ""] ?? "";
  return {
    name: "lab",
    region,
    client: clientFactory(labSettings(facts), failIfLabGone(lab, facts)),
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

/** The settings of a client of the lab's API. */
export function labSettings(facts: LabFacts) {
  return {
    region,
    endpoint: facts.endpoint,
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
