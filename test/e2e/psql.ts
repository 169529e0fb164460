import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { execa, type Options } from "execa";
import { Credentials } from "../../bootstrap/secrets/shapes.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { guestNetworkArguments } from "../../scripts/lab/guest/processes.ts";
import type { LabPaths } from "../../scripts/lab/paths.ts";
import { asPostgres } from "../../scripts/lab/rds/postgres-tree.ts";
import type { Cluster } from "./node.ts";

/** Runs the lab's psql in the network of an instance. */
export function psqlOn<T extends Options>(
  lab: LabPaths,
  instanceId: string,
  args: readonly string[],
  password: string,
  options: T,
) {
  const enterLab = ["nsenter", `--target=${readFacts(lab)?.initProcess?.pid}`, "--mount", "--"];
  const flags = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"];
  const command = [
    ...guestNetworkArguments(lab, instanceId),
    ...enterLab,
    ...asPostgres(lab, "psql", ...flags),
  ];
  // The user of the tree must not search the folder of root for certificates.
  const env = { PGPASSWORD: password, HOME: "/" };
  return execa("nsenter", [...command, ...args], { ...options, cwd: "/", env });
}

/**
 * Runs SQL in a node's database from one of its hosts, with the login of the runtime role.
 * @throws the error of psql when a statement fails
 */
export async function asRuntimeRole(
  nodes: Cluster,
  instanceId: string,
  sql: string,
  sessionName = "test",
): Promise<string> {
  const { SecretString = "" } = await nodes.secrets.send(
    new GetSecretValueCommand({ SecretId: `${nodes.name}/database` }),
  );
  const { username, password } = Credentials.parse(JSON.parse(SecretString));
  const { host, port } = nodes.configuration.database;
  // Only the lab's own DNS server knows the name.
  const found = await nodes.inGuest(instanceId, `getent ahostsv4 ${host}`);
  const address = found.stdout.split(" ")[0] ?? "";
  const connection = `host=${address} port=${port} dbname=eclair user=${username} sslmode=require application_name='${sessionName}'`;
  const { stdout } = await psqlOn(nodes.lab, instanceId, ["--set=ON_ERROR_STOP=1", connection], password, {
    input: sql,
  });
  return stdout.trim();
}
