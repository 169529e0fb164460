import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import type { RotationKind } from "../../../bootstrap/contract/requests/rotation.ts";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { readClusterSetup } from "../../cluster/configuration/read.ts";
import { rotateOwner } from "../../cluster/rotation/owner.ts";
import { Rotator, type RotationStep } from "../../cluster/rotation/rotate.ts";
import { callerOf } from "../../target/caller.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { emit } from "../../ui/tasks.ts";
import { ignoreBudgetText } from "../budget-flag.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";
import { setupInstance, withSetup, type SetupFlags } from "./setup-flags.ts";

type Flags = SetupFlags & {
  readonly ignoreBudget: boolean;
  readonly restart: boolean;
  readonly abandon: boolean;
  /** For `rotate bitcoind`. */
  readonly secret?: string;
};

/** Changes the logins of a node while it serves. */
export function addRotate(program: Command): void {
  const verb = program.command("rotate").description("change a login of a node while it serves");
  const withRotation = (command: Command) =>
    withSetup(command)
      .option("--restart", "for a cluster of one instance: start its Eclair again", false)
      .option("--abandon", "give up the rotation that was interrupted; both logins continue to work", false)
      .option("--ignore-budget", ignoreBudgetText, false);
  withRotation(verb.command("database"))
    .description(
      "give Eclair and the supervisors another login at the database, with one switchover; continues an interrupted rotation",
    )
    .action((flags: Flags) => rotate("database", flags));
  withRotation(verb.command("api"))
    .description("change the password of Eclair's API, when a secret contains it, with one switchover")
    .action((flags: Flags) => rotate("api", flags));
  withRotation(verb.command("bitcoind"))
    .description("change the password of a login at remote bitcoinds, with one switchover")
    .option("--secret <id>", "the secret of the login, when secrets.bitcoind names several")
    .action((flags: Flags) => rotate("bitcoind", flags));
  withTarget(verb.command("owner"))
    .description("let RDS change the login of the database's owner, which only cluster setups use")
    .requiredOption("--config <file>", "a document of the kind ClusterSetup")
    .option("--json", "print the result as JSON", false)
    .action(owner);
}

async function owner(
  flags: TargetFlags & { readonly config: string; readonly json: boolean },
): Promise<void> {
  const setup = await readClusterSetup(flags.config);
  const versionId = await rotateOwner(targetOf(flags), setup, interruptSignal());
  if (flags.json) return emit({ event: "rotation.finished", versionId });
  console.log(`finished   version ${versionId} of the owner's secret is AWSCURRENT`);
}

async function rotate(kind: RotationKind, flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const setup = await readClusterSetup(flags.config);
  const client = documentClient(target.client(DynamoDBClient));
  const table = new ClusterTable(client, setup.record.table, setup.cluster);
  const wanted = {
    kind,
    secret: rotatedSecret(kind, setup, flags),
    setup,
    instance: await setupInstance(target, setup, flags),
    requestedBy: await callerOf(target),
    ignoreBudget: flags.ignoreBudget,
    restart: flags.restart,
    signal: interruptSignal(),
    onStep: (step: RotationStep) =>
      flags.json ? emit({ event: `rotation.${step.step}`, ...step }) : console.log(textOf(step)),
  };
  const rotator = new Rotator(target, table, wanted);
  if (!flags.abandon) return await rotator.run();
  const abandoned = await rotator.abandon();
  if (flags.json) return emit({ event: "rotation.abandoned", rotation: abandoned });
  console.log(
    abandoned === undefined
      ? "abandoned  nothing: no rotation is unfinished"
      : `abandoned  the rotation in version ${abandoned.versionId}`,
  );
}

/** The secret that a rotation changes, as the setup document names it. */
function rotatedSecret(kind: RotationKind, { secrets, database }: ClusterSetup, flags: Flags): string {
  if (kind === "database") return database.secret;
  if (kind === "api") {
    if (secrets.apiPassword === undefined) throw withoutSecret(withoutApiSecret(flags.config));
    return secrets.apiPassword;
  }
  const { bitcoind = [] } = secrets;
  const [secret] = bitcoind.filter((id) => flags.secret === undefined || id === flags.secret);
  if (secret === undefined) throw withoutSecret(withoutBitcoindSecret(flags));
  if (flags.secret === undefined && bitcoind.length > 1)
    throw withoutSecret(severalSecrets(flags.config, bitcoind));
  return secret;
}

const finishedTexts: Readonly<Record<RotationKind, string>> = {
  database: "the previous login was disabled already",
  api: "no Eclair has the previous password",
  bitcoind:
    "no instance uses the previous password: remove its line `rpcauth=` from bitcoin.conf of each of these bitcoinds, and restart the bitcoind",
};

const texts: { readonly [S in RotationStep["step"]]: (step: Extract<RotationStep, { step: S }>) => string } =
  {
    warning: ({ text }) => `warning    ${text}`,
    resumed: ({ from }) => `resumed    a rotation that was interrupted after the step ${from}`,
    prepared: ({ versionId }) =>
      `prepared   the next login, in version ${versionId} of the secret (AWSPENDING)`,
    install: ({ rpcauth }) =>
      `install    this line in bitcoin.conf of each bitcoind with this secret, next to the present one, and restart the bitcoind:\nrpcauth=${rpcauth}`,
    tested: ({ instanceId }) => `tested     ${instanceId} has armed an Eclair with it`,
    promoted: ({ versionId }) => `promoted   version ${versionId} is AWSCURRENT; both logins work`,
    "switched-over": ({ instanceId, durationMs }) => `switchover to ${instanceId}, outage ${durationMs} ms`,
    restarted: ({ instanceId }) => `restarted  ${instanceId} runs with the new login`,
    finished: ({ kind, changed }) => `finished   ${changed.join("; ") || finishedTexts[kind]}`,
  };

const textOf = (step: RotationStep): string => (texts[step.step] as (step: RotationStep) => string)(step);

type MissingSecret = { readonly kind: RotationKind; readonly message: string; readonly remedy: string };

const withoutSecret = ({ kind, message, remedy }: MissingSecret): EclairAmiError =>
  new EclairAmiError({
    code: "rotation.no-secret",
    operation: `rotating a login of the kind ${kind}`,
    message,
    remedy,
    exitCode: 2,
  });

const withoutApiSecret = (file: string): MissingSecret => ({
  kind: "api",
  message: `${file} names no secrets.apiPassword`,
  remedy:
    "write the secret of `secrets.apiPassword` of the node's configuration into the setup document. Without such a secret, each instance generates another password at its first boot",
});

const withoutBitcoindSecret = ({ config, secret }: Flags): MissingSecret => ({
  kind: "bitcoind",
  message: `secrets.bitcoind in ${config} does not name ${secret ?? "a secret"}`,
  remedy:
    "write the secrets of `bitcoind.remotes` of the node's configuration into the list `secrets.bitcoind` of the setup document. The password of a local bitcoind is generated at the first boot of each instance: `eclair-ami replace` changes it",
});

const severalSecrets = (file: string, secrets: readonly string[]): MissingSecret => ({
  kind: "bitcoind",
  message: `secrets.bitcoind in ${file} names ${secrets.join(", ")}`,
  remedy: "choose one of them with --secret",
});
