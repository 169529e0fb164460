import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { LabPlace } from "../place.ts";
import { issue, labAuthority } from "./certificates.ts";

/** One RDS instance as the lab runs it. */
export type PostgresServer = {
  readonly lab: LabPlace;
  readonly identifier: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
};

/** The first login of a new server, and the database it owns. */
export type Owner = { readonly username: string; readonly password: string; readonly database?: string };

/** Where the lab's databases are inside its mount namespace: PostgreSQL does not run as root. */
export const databasesFolder = "/var/lib/postgresql";
const debianPostgres = "/usr/lib/postgresql";
/** RDS' own superuser, whom nobody else is. */
export const superuser = "rdsadmin";

const home = (server: PostgresServer) => join(databasesFolder, server.identifier);
const data = (server: PostgresServer) => join(home(server), "data");

/** A program of the newest PostgreSQL that Debian has installed. */
function program(name: string): string {
  const [newest] = readdirSync(debianPostgres).toSorted((a, b) => Number(b) - Number(a));
  return join(debianPostgres, newest ?? "", "bin", name);
}

function asPostgres(
  command: string,
  args: readonly string[],
  options: { readonly input?: string; readonly reject?: boolean } = {},
) {
  const words = ["--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args];
  return execa("setpriv", words, { cwd: "/", ...options });
}

/** Makes the server when it isn't there, and starts it when it doesn't run. */
export async function startPostgres(server: PostgresServer, owner: () => Promise<Owner>): Promise<void> {
  const made = existsSync(join(home(server), "complete"));
  if (!made) await makeCluster(server);
  if (await isRunning(server)) return;
  // PostgreSQL's own log goes where its data is.
  await asPostgres(program("pg_ctl"), [
    "--silent",
    "-D",
    data(server),
    "-l",
    join(home(server), "log"),
    "start",
  ]);
  if (made) return;
  await makeOwner(server, await owner());
  writeFileSync(join(home(server), "complete"), "");
}

export async function stopPostgres(server: PostgresServer): Promise<void> {
  if (existsSync(data(server)) && (await isRunning(server)))
    await asPostgres(program("pg_ctl"), ["--silent", "-D", data(server), "-m", "fast", "stop"]);
}

export async function removePostgres(server: PostgresServer): Promise<void> {
  await stopPostgres(server);
  await execa("rm", ["--recursive", "--force", home(server)]);
}

/** Runs SQL as the server's superuser, as no client of RDS can. */
async function asSuperuser(server: PostgresServer, sql: string, database = "postgres"): Promise<string> {
  const args = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
  const where = [`--host=${home(server)}`, `--port=${server.port}`, `--username=${superuser}`, database];
  return (await asPostgres(program("psql"), [...args, ...where], { input: sql })).stdout;
}

async function isRunning(server: PostgresServer): Promise<boolean> {
  const { exitCode } = await asPostgres(program("pg_ctl"), ["-D", data(server), "status"], { reject: false });
  return exitCode === 0;
}

async function makeCluster(server: PostgresServer): Promise<void> {
  await execa("rm", ["--recursive", "--force", home(server)]);
  mkdirSync(home(server), { recursive: true });
  await execa("chown", ["postgres:postgres", home(server)]);
  await asPostgres(program("initdb"), [
    ...["-D", data(server), `--username=${superuser}`, "--encoding=UTF8", "--locale=C.UTF-8"],
    "--auth=reject",
  ]);
  const certificate = await issue(await labAuthority(server.lab), server.host, join(home(server), "tls"));
  await execa("chown", ["--recursive", "postgres:postgres", join(home(server), "tls")]);
  await execa("chmod", ["0600", certificate.key]);
  writeFileSync(
    join(data(server), "postgresql.conf"),
    Object.entries({
      listen_addresses: server.address,
      port: String(server.port),
      unix_socket_directories: home(server),
      ssl: "on",
      ssl_cert_file: certificate.certificate,
      ssl_key_file: certificate.key,
      password_encryption: "scram-sha-256",
      log_connections: "on",
    })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
  );
  writeFileSync(join(data(server), "pg_ident.conf"), `superuser postgres ${superuser}\n`);
  // As RDS with rds.force_ssl: from the network by TLS and password alone.
  writeFileSync(
    join(data(server), "pg_hba.conf"),
    `local all ${superuser} peer map=superuser\nhostssl all all 0.0.0.0/0 scram-sha-256\n`,
  );
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Like RDS' master user: may make databases and roles, and is no superuser. */
async function makeOwner(server: PostgresServer, owner: Owner): Promise<void> {
  const name = identifier(owner.username);
  await asSuperuser(
    server,
    `create role ${name} login createdb createrole password ${literal(owner.password)}`,
  );
  if (owner.database !== undefined)
    await asSuperuser(server, `create database ${identifier(owner.database)} owner ${name}`);
}
