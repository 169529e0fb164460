import { join } from "node:path";
import { layout, type LabPaths } from "../paths.ts";

/** The major version of Debian's PostgreSQL in the tree, and of every database of the lab: the default of the stacks. */
export const postgresMajorVersion = "17";
/** The folder of the databases in the tree. A path to a socket has at most 107 characters, so it is short. */
export const databasesFolder = "/var/lib/postgresql";
/** The superuser that RDS reserves for itself. */
export const superuser = "rdsadmin";

/** The mount point of the Debian tree with PostgreSQL, in the lab's mount namespace. */
export const postgresTree = (lab: LabPaths): string => join(layout.run(lab), "postgres");

/**
 * A command of PostgreSQL or of Debian in the tree, as the user postgres of the tree.
 * @param program a program of PostgreSQL, such as `psql`, or the path of another program
 */
export const asPostgres = (lab: LabPaths, program: string, ...args: string[]): string[] => [
  ...["chroot", "--userspec=postgres:postgres", postgresTree(lab)],
  program.startsWith("/") ? program : postgresProgram(program),
  ...args,
];

/** The path of a program in the tree. Those in /usr/bin are Perl scripts, which start much slower. */
export const postgresProgram = (name: string): string =>
  `/usr/lib/postgresql/${postgresMajorVersion}/bin/${name}`;
