import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
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
  /**
   * The longest time from the first packet of a client to the answer of the node. A client whose handshake fails waits until a
   * later handshake is answered.
   */
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

/** Eclair's change to another bitcoind. */
const BitcoindChange = z.strictObject({
  /** The longest time from the fault on in which no call was answered that Eclair passes to its bitcoind. */
  unansweredMilliseconds: z.number(),
  /** From a block that was found after the fault to Eclair's knowledge of it. */
  blockMilliseconds: z.number(),
});
export type BitcoindChange = z.infer<typeof BitcoindChange>;

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
  /** Only of drills in which Eclair changes to another bitcoind. */
  change: BitcoindChange.optional(),
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

/** Increased also when the same field is measured in another way. */
export const formatVersion = 4;

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

/** What the results of one file have in common. */
export type Measured = Pick<Results, "imageId" | "lease" | "cpus">;

/**
 * Reads the results to which a session adds its runs.
 * @returns undefined when there is no file
 * @throws EclairAmiError `drill.other-results` when the file was not measured in the same way: it is never overwritten
 */
export function readResults(file: string, { imageId, lease, cpus }: Measured): Results | undefined {
  if (!existsSync(file)) return undefined;
  const { success, data } = Results.safeParse(parseJson(readFileSync(file, "utf8")));
  if (success && isDeepStrictEqual([data.imageId, data.lease, data.cpus], [imageId, lease, cpus]))
    return data;
  throw new EclairAmiError({
    code: "drill.other-results",
    operation: `reading ${file}`,
    message: success
      ? `the file contains runs of ${describe(data)}, and this session measures ${describe({ imageId, lease, cpus })}`
      : `the file contains no results in format ${formatVersion}`,
    remedy: "write to another file with --json, or delete the file",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const describe = ({ imageId, lease, cpus }: Measured) =>
  `${imageId} with a lease of ${lease.seconds} s, renewed every ${lease.renewalSeconds} s, on ${cpus} processors`;

export function writeResults(file: string, results: Results): void {
  writeFileAtomically(file, `${JSON.stringify(results, undefined, 1)}\n`);
}
