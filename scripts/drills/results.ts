import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomically } from "../machine/files.ts";

const Span = z.strictObject({ from: z.number(), to: z.number() });
export type Span = z.infer<typeof Span>;

/** What the run observed over time; every time in milliseconds since the fault. */
const Timeline = z.strictObject({
  /**
   * When the node completed handshakes, by endpoint: behind the door of each host, and through the load balancer's address in
   * the zone of each host. The hosts are named by their role at the time of the fault.
   */
  answers: z.strictObject({
    active: z.array(Span),
    standby: z.array(Span),
    addressOfActive: z.array(Span),
    addressOfStandby: z.array(Span),
  }),
  /** Each host that took the lease, and when. */
  leaseHolders: z.array(z.strictObject({ at: z.number(), host: z.enum(["active", "standby", "other"]) })),
  end: z.number(),
});

/** What the clients of one address of the load balancer saw. */
const AddressResult = z.strictObject({
  /** The longest time from the first packet of a client to the answer of the node, over all attempts of the client. */
  awayMilliseconds: z.number(),
  /** Handshakes for which no connection was established. */
  refused: z.int(),
  /** Handshakes whose connection ended before the answer. */
  cut: z.int(),
  /** Handshakes without an answer within ten seconds. */
  late: z.int(),
  /** Handshakes that waited for an answer for more than 0.2 s. */
  held: z.int(),
  heldMedianMilliseconds: z.number(),
  heldWorstMilliseconds: z.number(),
  /** From the fault to the start of the last handshake that failed: later ones were all answered. Zero when none failed. */
  failingMilliseconds: z.number(),
});
export type AddressResult = z.infer<typeof AddressResult>;

/** One run of a drill. */
export const RunResult = z.strictObject({
  drill: z.string(),
  run: z.int(),
  faultAt: z.iso.datetime(),
  verdict: z.enum(["passed", "failed"]),
  /** Why the run failed. */
  reasons: z.array(z.string()),
  /** From the fault to the first handshake that the other host completed. */
  takeoverMilliseconds: z.number().optional(),
  /** The addresses of the load balancer, by the role of the host in their zone at the time of the fault. */
  addresses: z.strictObject({ active: AddressResult, standby: AddressResult }).optional(),
  /** From the fault to the end of the first successful payment that started after it. */
  paymentMilliseconds: z.number().optional(),
  /** What remained of the lease when another Eclair took it; negative when the lease had expired. */
  leaseRemainingSeconds: z.number().optional(),
  takeovers: z.int(),
  acknowledgedWrites: z.int(),
  /** Payments of the peer over its channel; absent without a peer. */
  payments: z.int().optional(),
  /** Acknowledged writes that the database does not contain. */
  lostWrites: z.int(),
  /** Committed writes of an Eclair that another Eclair had superseded. */
  overlappingWrites: z.int(),
  timeline: Timeline,
});
export type RunResult = z.infer<typeof RunResult>;

export const formatVersion = 3;

/** The results file of `eclair-ami drill`. */
export const Results = z.strictObject({
  formatVersion: z.literal(formatVersion),
  imageId: z.string(),
  eclair: z.strictObject({ version: z.string(), kind: z.enum(["real", "stand-in"]) }),
  lease: z.strictObject({ seconds: z.number(), renewalSeconds: z.number() }),
  cpus: z.int(),
  startedAt: z.iso.datetime(),
  runs: z.array(RunResult),
});
export type Results = z.infer<typeof Results>;

/** @returns undefined when there is no file, or when it contains the results of another image or format */
export function readResults(file: string, imageId: string): Results | undefined {
  if (!existsSync(file)) return undefined;
  const { success, data } = Results.safeParse(JSON.parse(readFileSync(file, "utf8")));
  return success && data.imageId === imageId ? data : undefined;
}

export function writeResults(file: string, results: Results): void {
  writeFileAtomically(file, `${JSON.stringify(results, undefined, 1)}\n`);
}
