import { join } from "node:path";
import { z } from "zod";
import { readFileIfExists, writeFileAtomically } from "../../machine/files.ts";
import { layout, type LabPaths } from "../paths.ts";

/**
 * An injected fault in the lab's services. It affects one cluster: the calls of its instances and its roles, and the calls
 * for its items in the cluster table. A fault ends at `until` (milliseconds since 1970).
 */
const Fault = z.discriminatedUnion("service", [
  z.strictObject({
    service: z.literal("api"),
    /** The action in X-Amz-Target or Action, e.g. `GetSecretValue`. */
    action: z.string(),
    /** The error code of AWS, e.g. `ThrottlingException`. */
    code: z.string(),
    status: z.int(),
    until: z.number(),
  }),
  z.strictObject({
    service: z.literal("imds"),
    /** The HTTP status of each response; 0 for no response. */
    status: z.int(),
    until: z.number(),
  }),
]);
export type Fault = z.infer<typeof Fault>;

const file = (lab: LabPaths, cluster: string) => join(layout.run(lab), `faults-${cluster}.json`);

/** Replaces the faults of one cluster. */
export function setFaults(lab: LabPaths, cluster: string, faults: readonly Fault[]): void {
  writeFileAtomically(file(lab, cluster), JSON.stringify(faults));
}

function currentFaults(lab: LabPaths, cluster: string): Fault[] {
  const text = readFileIfExists(file(lab, cluster));
  if (text === undefined) return [];
  return z
    .array(Fault)
    .parse(JSON.parse(text))
    .filter((fault) => fault.until > Date.now());
}

export function apiFault(
  lab: LabPaths,
  cluster: string,
  action: string,
): Extract<Fault, { service: "api" }> | undefined {
  return currentFaults(lab, cluster).find(
    (fault): fault is Extract<Fault, { service: "api" }> =>
      fault.service === "api" && fault.action === action,
  );
}

export function metadataFault(lab: LabPaths, cluster: string): Fault | undefined {
  return currentFaults(lab, cluster).find((fault) => fault.service === "imds");
}
