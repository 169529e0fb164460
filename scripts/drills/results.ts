import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { writeWhole } from "../core/files.ts";

const Milliseconds = z.number();
const Span = z.strictObject({ from: Milliseconds, to: Milliseconds });

/** One run of a drill; times in milliseconds, in a timeline since its fault. */
export const Run = z.strictObject({
  drill: z.string(),
  run: z.int(),
  /** When the fault came, in ISO 8601. */
  at: z.iso.datetime(),
  verdict: z.enum(["passed", "failed"]),
  /** Why it failed. */
  reasons: z.array(z.string()),
  /** From the fault to the first handshake that a host finished which was not active before. */
  otherServes: Milliseconds.optional(),
  /** How long no handshake through the load balancer came about. */
  outage: Milliseconds.optional(),
  /** Seconds of the lease that were left when another Eclair took it; less than zero when it had run out. */
  leaseLeft: z.number().optional(),
  takeovers: z.int(),
  acknowledged: z.int(),
  /** Paid by the peer over its channel, where there is one. */
  payments: z.int().optional(),
  /** Acknowledged, and not in the database afterwards. */
  lost: z.int(),
  /** Committed writes of an Eclair that another one had superseded. */
  overlaps: z.int(),
  /** New connections that the load balancer sent to the host of a superseded Eclair after the takeover. */
  staleConnections: z.int(),
  timeline: z.strictObject({
    /** When nodes answered, by `active`, `standby` (as they were before) and `balancer`. */
    answers: z.record(z.string(), z.array(Span)),
    /** Who held the lease from when on. */
    holders: z.array(z.strictObject({ at: Milliseconds, place: z.string() })),
    end: Milliseconds,
  }),
});
export type Run = z.infer<typeof Run>;

export const Results = z.strictObject({
  image: z.string(),
  eclair: z.strictObject({ version: z.string(), standIn: z.boolean() }),
  lease: z.strictObject({ seconds: z.number(), renewSeconds: z.number() }),
  cpus: z.int(),
  began: z.iso.datetime(),
  runs: z.array(Run),
});
export type Results = z.infer<typeof Results>;

/** What an earlier call left, when it was of the same image. */
export function resumed(file: string, image: string): Results | undefined {
  if (!existsSync(file)) return undefined;
  const { success, data } = Results.safeParse(JSON.parse(readFileSync(file, "utf8")));
  return success && data.image === image ? data : undefined;
}

export function writeResults(file: string, results: Results): void {
  writeWhole(file, `${JSON.stringify(results, undefined, 1)}\n`);
}
