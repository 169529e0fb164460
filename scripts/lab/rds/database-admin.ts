import { dirname } from "node:path";
import { execa } from "execa";
import { serviceNsenterArguments, type LabFacts } from "../facts.ts";
import type { LabPaths } from "../paths.ts";
import { asPostgres, databasesFolder, postgresProgram, superuser } from "./postgres-tree.ts";

/** A log contains every statement of a run. Node.js has no longer string. */
const longestOutputCharacters = 500_000_000;

/** Access to a server of the lab's RDS as its superuser, for a program outside of the lab. No client of RDS has it. */
export class DatabaseAdmin {
  private readonly nsenterArguments: readonly string[];
  private readonly lab: LabPaths;
  /** In the tree of PostgreSQL. */
  private readonly folder: string;

  constructor(lab: LabPaths, facts: LabFacts, identifier: string) {
    this.nsenterArguments = serviceNsenterArguments(lab, facts);
    this.lab = lab;
    this.folder = `${databasesFolder}/${identifier}`;
  }

  /** Runs a program of the tree. */
  private run([program = "", ...args]: readonly string[], input?: string) {
    return execa("nsenter", [...this.nsenterArguments, ...asPostgres(this.lab, program, ...args)], {
      cwd: "/",
      stripFinalNewline: false,
      maxBuffer: longestOutputCharacters,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
  }

  async sql(text: string, database = "eclair"): Promise<string> {
    return (await this.run(this.psql(database), text)).stdout.trim();
  }

  private psql(database: string): string[] {
    const flags = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return ["psql", ...flags, `--host=${this.folder}`, `--username=${superuser}`, database];
  }

  /** The size of the server's log. */
  async logBytes(): Promise<number> {
    return Number((await this.run(["/usr/bin/stat", "--format=%s", `${this.folder}/log`])).stdout);
  }

  /** The server's log from a byte on. */
  async logFrom(byte: number): Promise<string> {
    return (await this.run(["/usr/bin/tail", `--bytes=+${byte + 1}`, `${this.folder}/log`])).stdout;
  }

  /** Ends the server at once, and starts it again after some seconds. */
  async stopFor(seconds: number): Promise<void> {
    const control = `${postgresProgram("pg_ctl")} -D ${this.folder}/data --silent`;
    await this.run([
      "/bin/sh",
      "-c",
      `${control} -m immediate stop; sleep ${seconds}; ${control} -l ${this.folder}/log start`,
    ]);
  }

  /** Stops all processes of the server for some seconds. The connections remain. */
  async hold(seconds: number): Promise<void> {
    const postmaster = `$(head --lines=1 ${this.folder}/data/postmaster.pid)`;
    await this.run([
      "/bin/sh",
      "-c",
      `main=${postmaster}; kill -STOP $main; all="$main $(pgrep --parent $main)"; kill -STOP $all; sleep ${seconds}; kill -CONT $all`,
    ]);
  }

  /**
   * Replaces the stopped server by the result of `pg_upgrade`: a server with another system identifier and the same
   * databases, as after a major upgrade of RDS. The caller stops and starts the server through RDS, because the lab starts
   * every server that RDS has not stopped. `pg_upgrade` runs in another folder, because the lab stops every server that RDS
   * has stopped.
   */
  async upgrade(): Promise<void> {
    const [data, old, upgraded] = ["data", "old", "upgraded"].map((name) => `${this.folder}/${name}`);
    const steps = [
      `cd ${this.folder}`,
      `mv ${data} ${old}`,
      `${postgresProgram("initdb")} -D ${upgraded} --username=${superuser} --encoding=UTF8 --locale=C.UTF-8 --auth=trust`,
      `${postgresProgram("pg_upgrade")} -b ${dirname(postgresProgram("psql"))} -d ${old} -D ${upgraded} -U ${superuser}`,
      `cp ${old}/postgresql.conf ${old}/pg_hba.conf ${old}/pg_ident.conf ${upgraded}`,
      `rm -r ${old}`,
      `mv ${upgraded} ${data}`,
    ];
    await this.run(["/bin/sh", "-c", steps.join(" && ")]);
  }
}
