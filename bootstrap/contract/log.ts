import { z } from "zod";

/** Every event that the bootstrap logs, with its meaning. `npm run docs` writes docs/reference/log-events.md. */
export const logEvents = {
  "auto-scaling.failed": "A call to Auto Scaling failed; the supervisor calls again.",
  "auto-scaling.hook-completed": "The instance completed a lifecycle hook.",
  "auto-scaling.hands-over":
    "The Auto Scaling group terminates the active instance, which stops its Eclair so that a standby takes over.",
  "auto-scaling.leaving":
    "The Auto Scaling group terminates the instance, which starts no Eclair any more and disconnects its peers.",
  "auto-scaling.unhealthy": "The instance reported itself unhealthy to its Auto Scaling group.",
  "auto-scaling.waiting-for-standby":
    "The Auto Scaling group terminates the active instance, and no other instance can take over: Eclair continues to run.",
  "bitcoind-gate.ended":
    "The process of the gate in front of the bitcoinds ended; the supervisor starts it again.",
  "bitcoind.answer-unknown": "bitcoind's answer to a call that changes the wallet has an unknown form.",
  "bitcoind.broadcast-failed":
    "A bitcoind that Eclair does not use now did not receive a transaction. When the bitcoind in use has accepted the transaction, the gate sends it before Eclair uses this bitcoind.",
  "bitcoind.broadcasts-unknown":
    "The gate cannot read the wallet's transactions in the mempool, which another bitcoind may need, or the confirmations of a transaction. It tries again every second.",
  "bitcoind.change":
    "Eclair's call that changes the wallet was sent to a bitcoind. `outcome`: `answered`, `no answer`, or `not sent`. The gate sends no such call twice.",
  "bitcoind.change-failed":
    "Eclair's locks and transactions could not be moved to another bitcoind; the gate chooses again.",
  "bitcoind.chosen": "Eclair uses this bitcoind from now on. `reason`: why not the previous one.",
  "bitcoind.blocks-replayed":
    "The gate has announced to Eclair the transactions of blocks (`from`, `to`) that Eclair may have missed.",
  "bitcoind.hands-over":
    "The active instance stops its Eclair because of its bitcoind (`reason`), so that another instance takes over.",
  "bitcoind.index-corrupt":
    "bitcoind ended because its index is corrupt. `next`: `requested`, it builds the index again; `broken`, the next instance uses another volume.",
  "bitcoind.index-unknown": "The file about the index on the chain volume is damaged, and is ignored.",
  "bitcoind.reindexes": "bitcoind builds its index again from its blocks, which takes hours on mainnet.",
  "bitcoind.request-failed": "The gate failed to pass a request of Eclair.",
  "bitcoind.unusable": "Eclair cannot use this bitcoind, or should use another one.",
  "bitcoind.wallet-prepared":
    "A bitcoind has received the transactions that Eclair broadcast, and has the same locked outputs.",
  "boot.identity": "The instance read its identity document.",
  "boot.idle": "The user-data contains no document of this project; the boot starts nothing.",
  "boot.phase": "A phase of the boot ended, or failed with `error`.",
  "budget.failed":
    "The time that the node may be away was not computed, or not stored; the supervisor computes it again.",
  "chain-snapshot.aborted":
    "bitcoind starts again, and the snapshot of the chain volume must not be used (`reason`).",
  "chain-snapshot.failed": "A step of a snapshot of the chain volume failed; the supervisor tries again.",
  "chain-snapshot.resumed": "bitcoind starts again after a snapshot of the chain volume.",
  "chain-snapshot.started":
    "bitcoind is disconnected from its peers and describes its chain, for a snapshot of the chain volume.",
  "chain-snapshot.stopped": "bitcoind is stopped, and its chain volume does not change any more.",
  "cluster-setup.denied":
    "AWS denied a request of a cluster setup, which repeats it while permissions may be new.",
  "cluster-setup.report-failed": "The result of a cluster setup was not written to the cluster table.",
  "cluster-setup.result": "The result of a cluster setup.",
  "cluster-view.failed":
    "The reports of the other instances cannot be read; the supervisor reads them again.",
  "context.reloaded": "The supervisor uses the files of a later boot.",
  "door.ended": "The process of the door ended; the supervisor starts it again.",
  "drift.detected": "Secrets or user-data differ from the files that the last boot rendered.",
  "drift.failed": "The comparison of secrets and user-data failed; the supervisor compares again.",
  "eclair.armed": "An Eclair waits at its gate before its first connection to the database.",
  "eclair.configuration-checked":
    "Eclair checked its configuration on a standby; `accepted` says whether Eclair starts with it.",
  "eclair.disarmed": "An Eclair that waited at its gate ended.",
  "eclair.ended": "The Eclair that was connected to the database ended.",
  "eclair.gate-opened": "The gate of an Eclair opened; this Eclair can take the lease.",
  "eclair.killed":
    "The supervisor killed the Eclair that was connected to the database. `cause`: `lease`: the lease could expire; `silence`: another host could claim the lease, because the database did not answer this host; `renewals`: Eclair missed three renewals.",
  "guard.checked": "The cluster record and the database permit this host to start or activate Eclair.",
  "guard.refused": "The cluster record or the database does not permit this host to run Eclair.",
  "health.ended": "The process of the health endpoint ended; the supervisor starts it again.",
  "hosts.listen-failed":
    "The supervisor cannot receive the messages of the cluster's other hosts; it tries again.",
  "lease.claimed": "This standby expired the lease of a holder that had sent no statement to the database.",
  "lease.promised": "This host promised the holder of the lease not to claim the lease for two seconds.",
  "lease.release-failed":
    "The lease of an Eclair that ended is not released yet; the supervisor tries again.",
  "lease.released": "The supervisor released the lease of an Eclair that ended.",
  "lease.unanswered":
    "The holder of the lease has no answer of the database, and a claimant did not promise not to claim.",
  "page-cache.failed": "Eclair's files were not read into the page cache.",
  "page-cache.warmed": "Eclair's files are in the page cache.",
  "record.unreachable": "The cluster record cannot be read; the configuration permits a start without it.",
  "report.failed": "The report of the instance was not written to the cluster table.",
  "role.changed": "The role of the instance changed.",
  "rotation.boots-again": "The instance boots again, because a rotation tests or has changed a login.",
  "rotation.failed":
    "The rotation request cannot be read, or a step of it failed; the supervisor tries again.",
  "rotation.unreadable":
    "The rotation request cannot be read: the instance uses the current version of each secret, which works in any case.",
  "supervisor.action-failed": "An action of the supervisor failed; the supervisor tries again.",
  "switchover.advanced": "A switchover reached its next step.",
  "switchover.failed": "The switchover request cannot be read or written; the supervisor tries again.",
  "systemd.notify-failed": "systemd-notify failed.",
  "targets.deregister-skipped": "The instance stays in its target groups, because it does not shut down.",
  "targets.deregistered": "The instance left its target groups.",
  "volume.enlarge-failed":
    "EC2 did not enlarge the chain volume to the configured size; the next boot tries again.",
  "volume.enlarged": "The chain volume was smaller than configured, and was enlarged.",
  "volume.empty-replacement":
    "No verified snapshot of the cluster exists, so the volume that replaces a broken one is empty.",
  "volume.from-snapshot": "The new chain volume is created from the newest verified snapshot.",
  "wallet.created": "A wallet was created in bitcoind.",
  "wallet.import-failed": "The import of descriptors into the wallet failed; the supervisor imports again.",
  "wallet.imported": "The descriptors of the node were imported into the wallet.",
} as const satisfies Readonly<Record<string, string>>;

export type LogEvent = keyof typeof logEvents;

export const logLevels = ["info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** An error in a log line, in a report and in `--json` output. */
export const LoggedError = z.object({
  /** A code of `docs/reference/errors.md`; absent for an error of another program. */
  code: z.string().optional(),
  operation: z.string().optional(),
  message: z.string(),
  remedy: z.string().optional(),
  mayHaveChanged: z.string().optional(),
  retryable: z.boolean().optional(),
});
export type LoggedError = z.infer<typeof LoggedError>;

/** One line of the bootstrap's log. The journal supplies the time. */
export const LogLine = z.looseObject({
  level: z.enum(logLevels),
  event: z.enum(Object.keys(logEvents) as [LogEvent, ...LogEvent[]]),
  durationMs: z.number().optional(),
  error: LoggedError.optional(),
});
export type LogLine = z.infer<typeof LogLine>;
