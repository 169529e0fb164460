import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { LabPaths } from "../paths.ts";
import { issueCertificate, labAuthority } from "./certificates.ts";

/** The PostgreSQL server of one RDS instance. */
export type PostgresServer = {
  readonly lab: LabPaths;
  readonly identifier: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
};

/** The master user of a new server, and the database that it owns. */
export type Owner = { readonly username: string; readonly password: string; readonly database?: string };

/** The folder of the databases in the lab's mount namespace. The user postgres can enter it, unlike the state folder. */
export const databasesFolder = "/var/lib/postgresql";
const debianPostgres = "/usr/lib/postgresql";
/** The superuser that RDS reserves for itself. */
export const superuser = "rdsadmin";

const folderOf = (server: PostgresServer) => join(databasesFolder, server.identifier);
const dataFolder = (server: PostgresServer) => join(folderOf(server), "data");
/** Exists when the server is completely set up. */
const marker = (server: PostgresServer) => join(folderOf(server), "complete");

/** A program of the newest installed PostgreSQL. Those in /usr/bin are Perl scripts, which start much slower. */
export function postgresProgram(name: string): string {
  const [newest] = readdirSync(debianPostgres).toSorted((a, b) => Number(b) - Number(a));
  return join(debianPostgres, newest ?? "", "bin", name);
}

function asPostgres(
  command: string,
  args: readonly string[],
  options: { readonly input?: string; readonly reject?: boolean } = {},
) {
  const user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
  return execa("setpriv", [...user, command, ...args], { cwd: "/", ...options });
}

/** Creates the server unless it exists, and starts it unless it runs. */
export async function startPostgres(server: PostgresServer, owner: () => Promise<Owner>): Promise<void> {
  const exists = existsSync(marker(server));
  if (!exists) await createDataFolder(server);
  if (await isRunning(server)) return;
  await asPostgres(postgresProgram("pg_ctl"), [
    "--silent",
    "-D",
    dataFolder(server),
    "-l",
    join(folderOf(server), "log"),
    "start",
  ]);
  if (exists) return;
  await createOwner(server, await owner());
  writeFileSync(marker(server), "");
}

export async function stopPostgres(server: PostgresServer): Promise<void> {
  if (existsSync(dataFolder(server)) && (await isRunning(server)))
    await asPostgres(postgresProgram("pg_ctl"), ["--silent", "-D", dataFolder(server), "-m", "fast", "stop"]);
}

export async function removePostgres(server: PostgresServer): Promise<void> {
  await stopPostgres(server);
  await execa("rm", ["--recursive", "--force", folderOf(server)]);
}

async function sqlAsSuperuser(server: PostgresServer, sql: string, database = "postgres"): Promise<string> {
  const args = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
  const connection = [
    `--host=${folderOf(server)}`,
    `--port=${server.port}`,
    `--username=${superuser}`,
    database,
  ];
  return (await asPostgres(postgresProgram("psql"), [...args, ...connection], { input: sql })).stdout;
}

async function isRunning(server: PostgresServer): Promise<boolean> {
  const { exitCode } = await asPostgres(postgresProgram("pg_ctl"), ["-D", dataFolder(server), "status"], {
    reject: false,
  });
  return exitCode === 0;
}

async function createDataFolder(server: PostgresServer): Promise<void> {
  await execa("rm", ["--recursive", "--force", folderOf(server)]);
  mkdirSync(folderOf(server), { recursive: true });
  await execa("chown", ["postgres:postgres", folderOf(server)]);
  await asPostgres(postgresProgram("initdb"), [
    ...["-D", dataFolder(server), `--username=${superuser}`, "--encoding=UTF8", "--locale=C.UTF-8"],
    "--auth=reject",
  ]);
  const certificate = await issueCertificate(
    await labAuthority(server.lab),
    server.host,
    join(folderOf(server), "tls"),
  );
  await execa("chown", ["--recursive", "postgres:postgres", join(folderOf(server), "tls")]);
  await execa("chmod", ["0600", certificate.key]);
  writeFileSync(
    join(dataFolder(server), "postgresql.conf"),
    Object.entries({
      listen_addresses: server.address,
      port: String(server.port),
      unix_socket_directories: folderOf(server),
      ssl: "on",
      ssl_cert_file: certificate.certificate,
      ssl_key_file: certificate.key,
      password_encryption: "scram-sha-256",
      log_connections: "on",
    })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
  );
  writeFileSync(join(dataFolder(server), "pg_ident.conf"), `superuser postgres ${superuser}\n`);
  // As RDS with rds.force_ssl: connections from the network need TLS and a password.
  writeFileSync(
    join(dataFolder(server), "pg_hba.conf"),
    `local all ${superuser} peer map=superuser\nhostssl all all 0.0.0.0/0 scram-sha-256\n`,
  );
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string) => `"${text.replaceAll('"', '""')}"`;

export async function setPassword(server: PostgresServer, username: string, password: string): Promise<void> {
  await sqlAsSuperuser(server, `alter role ${identifier(username)} password ${literal(password)}`);
}

/** As the master user of RDS, the owner can create databases and roles and is not a superuser. */
async function createOwner(server: PostgresServer, owner: Owner): Promise<void> {
  const name = identifier(owner.username);
  await sqlAsSuperuser(
    server,
    `create role ${name} login createdb createrole password ${literal(owner.password)}`,
  );
  if (owner.database !== undefined)
    await sqlAsSuperuser(server, `create database ${identifier(owner.database)} owner ${name}`);
}
