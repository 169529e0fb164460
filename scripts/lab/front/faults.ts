import { join } from "node:path";
import { z } from "zod";
import { readIfThere, writeWhole } from "../../core/files.ts";
import { layout, type LabPlace } from "../place.ts";

/**
 * A fault in the lab's services that affects one cluster: the calls that its instances and its roles make, and the calls
 * about its items in the table. A fault ends by itself at `until` (milliseconds since 1970).
 */
const Fault = z.discriminatedUnion("service", [
  z.strictObject({
    service: z.literal("api"),
    /** As in X-Amz-Target or Action, e.g. `GetSecretValue`. */
    action: z.string(),
    /** AWS' name of the error, e.g. `ThrottlingException`. */
    code: z.string(),
    status: z.int(),
    until: z.number(),
  }),
  z.strictObject({
    service: z.literal("imds"),
    /** The status it answers with; 0: it says nothing at all. */
    status: z.int(),
    until: z.number(),
  }),
]);
export type Fault = z.infer<typeof Fault>;

const file = (lab: LabPlace, cluster: string) => join(layout.run(lab), `faults-${cluster}.json`);

/** Replaces the faults of a cluster; other clusters' faults stay. */
export function setFaults(lab: LabPlace, cluster: string, faults: readonly Fault[]): void {
  writeWhole(file(lab, cluster), JSON.stringify(faults));
}

function current(lab: LabPlace, cluster: string): Fault[] {
  const text = readIfThere(file(lab, cluster));
  if (text === undefined) return [];
  return z
    .array(Fault)
    .parse(JSON.parse(text))
    .filter((fault) => fault.until > Date.now());
}

export function apiFault(
  lab: LabPlace,
  cluster: string,
  action: string,
): Extract<Fault, { service: "api" }> | undefined {
  return current(lab, cluster).find(
    (fault): fault is Extract<Fault, { service: "api" }> =>
      fault.service === "api" && fault.action === action,
  );
}

export function metadataFault(lab: LabPlace, cluster: string): Fault | undefined {
  return current(lab, cluster).find((fault) => fault.service === "imds");
}
