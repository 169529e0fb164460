import { execa } from "execa";
import { amongServices, type LabFacts } from "../facts.ts";
import type { LabPlace } from "../place.ts";
import { databasesFolder, superuser } from "./postgres.ts";

/** A server of the lab's RDS as this machine's root reaches it, from outside of the lab's own namespaces. */
export class OutsideDatabase {
  private readonly inside: readonly string[];
  private readonly home: string;

  constructor(lab: LabPlace, facts: LabFacts, identifier: string) {
    this.inside = amongServices(lab, facts);
    this.home = `${databasesFolder}/${identifier}`;
  }

  private enter(command: readonly string[], input?: string) {
    const asPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    return execa("nsenter", [...this.inside, ...asPostgres, ...command], {
      cwd: "/",
      stripFinalNewline: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
  }

  /** Runs SQL as the server's superuser, as no client of RDS can. */
  async sql(text: string, database = "eclair"): Promise<string> {
    return (await this.enter(this.psql(database), text)).stdout.trim();
  }

  private psql(database: string): string[] {
    const flags = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return ["psql", ...flags, `--host=${this.home}`, `--username=${superuser}`, database];
  }

  async logBytes(): Promise<number> {
    return Number((await this.enter(["stat", "--format=%s", `${this.home}/log`])).stdout);
  }

  /** The server's own log, from a byte on. */
  async logFrom(byte: number): Promise<string> {
    return (await this.enter(["tail", `--bytes=+${byte + 1}`, `${this.home}/log`])).stdout;
  }

  /** Ends every process at once and starts them again after a time. */
  async goneFor(seconds: number): Promise<void> {
    const control = `"$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/pg_ctl" -D ${this.home}/data --silent`;
    await this.enter([
      "sh",
      "-c",
      `${control} -m immediate stop; sleep ${seconds}; ${control} -l ${this.home}/log start`,
    ]);
  }
}
