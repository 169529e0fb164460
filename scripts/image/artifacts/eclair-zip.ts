import { open, type Entry } from "yauzl";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";

export type EclairZip = {
  /** e.g. 0.13.0 */
  readonly version: string;
  readonly commit: string;
  /** `stand-in` when the zip contains the file STAND-IN. */
  readonly kind: "real" | "stand-in";
};

const topFolder = /^eclair-node-(\d+\.\d+\.\d+)-([0-9a-f]{7})\//;

/** Reads version and kind of an Eclair release zip. @throws EclairAmiError `artifact.not-eclair` */
export async function readEclairZip(file: string): Promise<EclairZip> {
  const names = await entryNames(file).catch((error: unknown) => {
    throw notEclair(file, messageOf(error), error);
  });
  const [top, version, commit] = topFolder.exec(names[0] ?? "") ?? [];
  if (
    top === undefined ||
    version === undefined ||
    commit === undefined ||
    !names.every((name) => name.startsWith(top))
  )
    throw notEclair(file, "not every entry is in one folder eclair-node-VERSION-COMMIT");
  if (!names.some((name) => /\/lib\/eclair-node_[^/]*\.jar$/.test(name)))
    throw notEclair(file, "the file lib/eclair-node_….jar is missing");
  return { version, commit, kind: names.includes(`${top}STAND-IN`) ? "stand-in" : "real" };
}

function notEclair(file: string, reason: string, cause?: unknown): EclairAmiError {
  return new EclairAmiError(
    {
      code: "artifact.not-eclair",
      operation: `reading ${file} as an Eclair release`,
      message: reason,
      remedy: "name the file eclair-node-VERSION-COMMIT-bin.zip of an Eclair release",
      exitCode: 2,
    },
    { cause },
  );
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
