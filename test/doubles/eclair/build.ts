import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

const here = import.meta.dirname;
const source = "src/fr/acinq/eclair/Boot.java";

/** The Eclair version that the stand-in stands in for. */
export const standInVersion = "0.13.0";

/**
 * Builds the stand-in's zip, once for each state of its source.
 * @returns the zip's path below `folder`
 */
export async function buildStandIn(folder: string): Promise<string> {
  const text = readFileSync(join(here, source));
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const top = `eclair-node-${standInVersion}-0000000`;
  const zip = join(folder, `stand-in-${digest}`, `${top}-bin.zip`);
  if (existsSync(zip)) return zip;

  const work = join(folder, `stand-in.${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  for (const name of ["classes", `tree/${top}/bin`, `tree/${top}/lib`])
    mkdirSync(join(work, name), { recursive: true });
  try {
    await execa("javac", ["--release", "17", "-d", join(work, "classes"), join(here, source)]);
    const jar = join(work, `tree/${top}/lib/eclair-node_2.13-${standInVersion}.jar`);
    // A fixed time in the archives: the same source gives the same bytes.
    const date = "--date=2020-01-01T00:00:00Z";
    await execa("jar", ["--create", date, "--file", jar, "-C", join(work, "classes"), "."]);
    writeFileSync(
      join(work, `tree/${top}/STAND-IN`),
      "This is no Eclair: see test/doubles/eclair in eclair-ami.\n",
    );
    const script = `#!/bin/sh\nexec java -cp "$(dirname "$0")/../lib/*" fr.acinq.eclair.Boot "$@"\n`;
    writeFileSync(join(work, `tree/${top}/bin/eclair-node.sh`), script, { mode: 0o755 });
    writeFileSync(
      join(work, `tree/${top}/bin/eclair-cli`),
      "#!/bin/sh\necho 'the stand-in has no API' >&2\nexit 1\n",
      { mode: 0o755 },
    );
    const built = join(work, `${top}-bin.zip`);
    await execa("jar", ["--create", "--no-manifest", date, "--file", built, "-C", join(work, "tree"), "."]);
    mkdirSync(join(folder, `stand-in-${digest}`), { recursive: true });
    renameSync(built, zip);
    return zip;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const [folder] = process.argv.slice(2);
if (import.meta.main && folder !== undefined) console.log(await buildStandIn(folder));
