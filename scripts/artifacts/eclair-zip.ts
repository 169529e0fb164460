import { open, type Entry } from "yauzl";
import { Failure, messageOf } from "../core/failure.ts";

export type EclairZip = {
  /** e.g. 0.13.0 */
  readonly version: string;
  readonly commit: string;
  /** `double` when the zip says that it is the project's stand-in. */
  readonly kind: "real" | "double";
};

const topFolder = /^eclair-node-(\d+\.\d+\.\d+)-([0-9a-f]{7})\//;

/** What an Eclair release zip says of itself; a file that is none is refused. */
export async function readEclairZip(file: string): Promise<EclairZip> {
  const names = await entryNames(file).catch((error: unknown) => {
    throw notEclair(file, messageOf(error));
  });
  const top = topFolder.exec(names[0] ?? "");
  const [whole, version, commit] = top ?? [];
  if (
    whole === undefined ||
    version === undefined ||
    commit === undefined ||
    !names.every((name) => name.startsWith(whole))
  )
    throw notEclair(file, "it has not the one top folder eclair-node-VERSION-COMMIT");
  if (!names.some((name) => /\/lib\/eclair-node_[^/]*\.jar$/.test(name)))
    throw notEclair(file, "it has no lib/eclair-node_….jar");
  return { version, commit, kind: names.includes(`${whole}STAND-IN`) ? "double" : "real" };
}

function notEclair(file: string, why: string): Failure {
  return new Failure({
    code: "artifact.eclair",
    doing: `reading ${file} as an Eclair release`,
    cause: why,
    remedy: "name the file eclair-node-VERSION-COMMIT-bin.zip of an Eclair release",
    exit: 2,
  });
}

function entryNames(file: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    open(file, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error);
      const names: string[] = [];
      zip.on("entry", (entry: Entry) => {
        names.push(entry.fileName);
        zip.readEntry();
      });
      zip.on("end", () => resolve(names));
      zip.on("error", reject);
      zip.readEntry();
    });
  });
}
