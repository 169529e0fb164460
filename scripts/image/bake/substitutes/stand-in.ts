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
import { root } from "../../../machine/paths.mjs";

/** Sources, resources and scripts of the stand-in Eclair; see its README.md. */
const sourceFolder = join(root, "test/doubles/eclair");

/** The Eclair version that the stand-in has by default. */
export const standInVersion = "0.13.0";

/** From Debian packages; see the README.md of the stand-in. */
const jarFolder = "/usr/share/java";
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
].map((name) => ({ name: `${name}.jar`, file: join(jarFolder, `${name}.jar`) }));

/** A fixed time in the archives: the same sources and jars give the same bytes. */
const date = "--date=2020-01-01T00:00:00Z";

/**
 * Builds the zip of the stand-in Eclair, once for each state of its sources, its jars and its version.
 * @param version an Eclair version from 0.13.0 on; it decides the database schemas and the checks
 * @returns the path of the zip below `folder`
 */
export async function buildStandIn(folder: string, version: string = standInVersion): Promise<string> {
  const top = `eclair-node-${version}-0000000`;
  const name = `stand-in-${inputsDigest(version)}`;
  const zip = join(folder, name, `${top}-bin.zip`);
  if (existsSync(zip)) return zip;

  const work = join(folder, `${name}.${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  try {
    await createTree(work, top, version);
    const built = join(work, `${top}-bin.zip`);
    await archive(join(work, "tree"), built, ["--no-manifest"]);
    mkdirSync(join(folder, name), { recursive: true });
    renameSync(built, zip);
    return zip;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Compiles the stand-in and creates the tree of an Eclair release in `work`/tree. */
async function createTree(work: string, top: string, version: string): Promise<void> {
  const classes = join(work, "classes");
  const tree = join(work, "tree", top);
  for (const path of [classes, join(tree, "bin"), join(tree, "lib")]) mkdirSync(path, { recursive: true });
  const classPath = libraries.map(({ file }) => realpathSync(file)).join(":");
  const sources = sortedFiles(join(sourceFolder, "src")).map((file) => join(sourceFolder, "src", file));
  await execa("javac", ["--release", "17", "-proc:none", "-cp", classPath, "-d", classes, ...sources]);
  cpSync(join(sourceFolder, "resources"), classes, { recursive: true });
  writeFileSync(
    join(work, "manifest"),
    `Implementation-Version: ${version}\nSpecification-Version: ${"0".repeat(40)}\n`,
  );
  const jar = join(tree, "lib", `eclair-node_2.13-${version}.jar`);
  await archive(classes, jar, ["--manifest", join(work, "manifest")]);

  for (const library of libraries) cpSync(realpathSync(library.file), join(tree, "lib", library.name));
  cpSync(join(sourceFolder, "bin"), join(tree, "bin"), { recursive: true });
  writeFileSync(join(tree, "STAND-IN"), "This is not Eclair: see test/doubles/eclair in eclair-ami.\n");
}

/** A digest of everything that the zip depends on. */
function inputsDigest(version: string): string {
  const hash = createHash("sha256")
    .update(version)
    .update(readFileSync(import.meta.filename));
  for (const folder of ["bin", "resources", "src"])
    for (const file of sortedFiles(join(sourceFolder, folder)))
      hash.update(join(folder, file)).update(readFileSync(join(sourceFolder, folder, file)));
  for (const { file } of libraries) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

/** Relative paths, sorted, so that the order in an archive does not depend on the file system. */
function sortedFiles(folder: string): string[] {
  return globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

async function archive(folder: string, file: string, options: string[]): Promise<void> {
  const entries = sortedFiles(folder).flatMap((entry) => ["-C", folder, entry]);
  await execa("jar", ["--create", date, "--file", file, ...options, ...entries]);
}
