import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { layout, type LabPaths } from "../paths.ts";
import { issueCertificate, labAuthority } from "./certificates.ts";
import { asPostgres, databasesFolder, postgresTree, superuser } from "./postgres-tree.ts";

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

/** The folder of a server in the tree, and as the lab sees it. */
const folderOf = ({ identifier }: PostgresServer) => join(databasesFolder, identifier);
const folderInLab = ({ lab, identifier }: PostgresServer) => join(layout.databases(lab), identifier);
const dataFolder = (server: PostgresServer) => join(folderOf(server), "data");
const dataInLab = (server: PostgresServer) => join(folderInLab(server), "data");
/** Exists when the server is completely set up. */
const marker = (server: PostgresServer) => join(folderInLab(server), "complete");

function runAsPostgres(
  { lab }: PostgresServer,
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly reject?: boolean } = {},
) {
  const [command = "", ...rest] = asPostgres(lab, program, ...args);
  return execa(command, rest, { cwd: "/", ...options });
}

/** Gives a folder or file of a server to the user of the tree. */
async function chownInTree({ lab }: PostgresServer, path: string): Promise<void> {
  await execa("chroot", [postgresTree(lab), "chown", "--recursive", "postgres:postgres", path]);
}

/** Creates the server unless it exists, and starts it unless it runs. */
export async function startPostgres(server: PostgresServer, owner: () => Promise<Owner>): Promise<void> {
  const exists = existsSync(marker(server));
  if (!exists) await createDataFolder(server);
  if (await isRunning(server)) return;
  await runAsPostgres(server, "pg_ctl", [
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
  if (existsSync(dataInLab(server)) && (await isRunning(server)))
    await runAsPostgres(server, "pg_ctl", ["--silent", "-D", dataFolder(server), "-m", "fast", "stop"]);
}

export async function removePostgres(server: PostgresServer): Promise<void> {
  await stopPostgres(server);
  await execa("rm", ["--recursive", "--force", folderInLab(server)]);
}

async function sqlAsSuperuser(server: PostgresServer, sql: string, database = "postgres"): Promise<string> {
  const args = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
  const connection = [
    `--host=${folderOf(server)}`,
    `--port=${server.port}`,
    `--username=${superuser}`,
    database,
  ];
  return (await runAsPostgres(server, "psql", [...args, ...connection], { input: sql })).stdout;
}

async function isRunning(server: PostgresServer): Promise<boolean> {
  const { exitCode } = await runAsPostgres(server, "pg_ctl", ["-D", dataFolder(server), "status"], {
    reject: false,
  });
  return exitCode === 0;
}

async function createDataFolder(server: PostgresServer): Promise<void> {
  await execa("rm", ["--recursive", "--force", folderInLab(server)]);
  mkdirSync(folderInLab(server), { recursive: true });
  await chownInTree(server, folderOf(server));
  await runAsPostgres(server, "initdb", [
    ...["-D", dataFolder(server), `--username=${superuser}`, "--encoding=UTF8", "--locale=C.UTF-8"],
    "--auth=reject",
  ]);
  const certificate = await issueCertificate(
    await labAuthority(server.lab),
    server.host,
    join(folderInLab(server), "tls"),
  );
  await chownInTree(server, join(folderOf(server), "tls"));
  await execa("chmod", ["0600", certificate.key]);
  writeFileSync(
    join(dataInLab(server), "postgresql.conf"),
    Object.entries({
      listen_addresses: server.address,
      port: String(server.port),
      unix_socket_directories: folderOf(server),
      ssl: "on",
      ssl_cert_file: join(folderOf(server), "tls", basename(certificate.certificate)),
      ssl_key_file: join(folderOf(server), "tls", basename(certificate.key)),
      password_encryption: "scram-sha-256",
      log_connections: "on",
    })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
  );
  writeFileSync(join(dataInLab(server), "pg_ident.conf"), `superuser postgres ${superuser}\n`);
  // As RDS with rds.force_ssl: connections from the network need TLS and a password.
  writeFileSync(
    join(dataInLab(server), "pg_hba.conf"),
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
