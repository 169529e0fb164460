import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

const here = import.meta.dirname;

/** The Eclair version that the stand-in stands in for when nobody asks for another. */
export const standInVersion = "0.13.0";

/** Of Debian's packages; see README.md. */
const jars = "/usr/share/java";
const libraries = [
  "HikariCP",
  "bcprov",
  "jackson-annotations",
  "jackson-core",
  "jackson-databind",
  "logback-classic",
  "logback-core",
  "postgresql",
  "slf4j-api",
  "typesafe-config",
].map((name) => ({ name: `${name}.jar`, file: join(jars, `${name}.jar`) }));

/** A fixed time in the archives: the same source and jars give the same bytes. */
const date = "--date=2020-01-01T00:00:00Z";

/**
 * Builds the stand-in's zip, once for each state of its source, its jars and its version.
 * @param version any Eclair from 0.13.0 on; the database's schemas and the checks are that version's
 * @returns the zip's path below `folder`
 */
export async function buildStandIn(folder: string, version: string = standInVersion): Promise<string> {
  const top = `eclair-node-${version}-0000000`;
  const name = `stand-in-${digest(version)}`;
  const zip = join(folder, name, `${top}-bin.zip`);
  if (existsSync(zip)) return zip;

  const work = join(folder, `${name}.${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  const classes = join(work, "classes");
  const tree = join(work, "tree", top);
  for (const path of [classes, join(tree, "bin"), join(tree, "lib")]) mkdirSync(path, { recursive: true });
  try {
    const classPath = libraries.map(({ file }) => realpathSync(file)).join(":");
    const sources = filesBelow(join(here, "src")).map((file) => join(here, "src", file));
    await execa("javac", ["--release", "17", "-proc:none", "-cp", classPath, "-d", classes, ...sources]);
    cpSync(join(here, "resources"), classes, { recursive: true });
    writeFileSync(
      join(work, "manifest"),
      `Implementation-Version: ${version}\nSpecification-Version: ${"0".repeat(40)}\n`,
    );
    const jar = join(tree, "lib", `eclair-node_2.13-${version}.jar`);
    await archive(classes, jar, ["--manifest", join(work, "manifest")]);

    for (const library of libraries) cpSync(realpathSync(library.file), join(tree, "lib", library.name));
    cpSync(join(here, "bin"), join(tree, "bin"), { recursive: true });
    writeFileSync(join(tree, "STAND-IN"), "This is no Eclair: see test/doubles/eclair in eclair-ami.\n");
    const built = join(work, `${top}-bin.zip`);
    await archive(join(work, "tree"), built, ["--no-manifest"]);
    mkdirSync(join(folder, name), { recursive: true });
    renameSync(built, zip);
    return zip;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whatever the zip is made of. */
function digest(version: string): string {
  const hash = createHash("sha256").update(version);
  for (const file of ["build.ts", ...["bin", "resources", "src"].flatMap((room) => inRoom(room))])
    hash.update(file).update(readFileSync(join(here, file)));
  for (const { file } of libraries) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

function inRoom(room: string): string[] {
  return filesBelow(join(here, room)).map((file) => join(room, file));
}

/** Sorted, so that an archive's order is not the file system's. */
function filesBelow(folder: string): string[] {
  return globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

async function archive(folder: string, file: string, options: string[]): Promise<void> {
  const entries = filesBelow(folder).flatMap((entry) => ["-C", folder, entry]);
  await execa("jar", ["--create", date, "--file", file, ...options, ...entries]);
}

const [folder, version] = process.argv.slice(2);
if (import.meta.main && folder !== undefined) console.log(await buildStandIn(folder, version));
