import parser from "@pushcorn/hocon-parser";
import { writeFileSync } from "node:fs";
import { buffer as readBuffer, text as readText } from "node:stream/consumers";
import { fromBuffer, open, type Entry, type ZipFile } from "yauzl";
import type { EclairReference } from "../../bootstrap/contract/eclair/reference.ts";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import type { EclairArtifact } from "./artifacts/artifact.ts";

/** The jar that contains Eclair's reference.conf: eclair-core of a release; the stand-in has one jar. */
const referenceJar = /\/lib\/eclair-(core|node)_[^/]*\.jar$/;

/** Reads the names and defaults of the settings of an Eclair from its zip. */
export async function readEclairReference(artifact: EclairArtifact): Promise<EclairReference> {
  let defaults: EclairReference["defaults"] | undefined;
  try {
    defaults = await readDefaults(artifact.file);
  } catch (error) {
    throw notEclair(artifact, "the zip, a jar in it or its reference.conf is damaged", error);
  }
  if (defaults === undefined)
    throw notEclair(artifact, "no jar contains a reference.conf with settings of Eclair");
  return {
    formatVersion: 1,
    eclair: artifact.version,
    complete: artifact.kind === "real",
    defaults,
  };
}

async function readDefaults(file: string): Promise<EclairReference["defaults"] | undefined> {
  const jars = await readEntries(await openFile(file), referenceJar, readBuffer);
  for (const jar of jars) {
    const [conf] = await readEntries(await openBuffer(jar), /^reference\.conf$/, readText);
    if (conf === undefined) continue;
    // The file refers to the home folder of the user.
    const { eclair } = await parser.parse({ text: `user.home = "/"\n${conf}` });
    if (eclair !== undefined) return Object.fromEntries(flatten(eclair, ""));
  }
  return undefined;
}

const notEclair = ({ file }: EclairArtifact, message: string, cause?: unknown) =>
  new EclairAmiError(
    {
      code: "artifact.not-eclair",
      operation: `reading the settings of ${file}`,
      message,
      remedy: "name the file eclair-node-VERSION-COMMIT-bin.zip of an Eclair release",
      exitCode: 2,
    },
    { cause },
  );

export const writeEclairReference = (file: string, reference: EclairReference): void =>
  writeFileSync(file, `${JSON.stringify(reference, undefined, 2)}\n`);

function* flatten(value: Readonly<Record<string, unknown>>, prefix: string): Generator<[string, unknown]> {
  for (const [key, inner] of Object.entries(value)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    const isGroup = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    if (isGroup && Object.keys(inner).length > 0)
      yield* flatten(inner as Readonly<Record<string, unknown>>, name);
    else yield [name, inner];
  }
}

const openFile = (file: string): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    open(file, { lazyEntries: true }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
const openBuffer = (content: Buffer): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    fromBuffer(content, { lazyEntries: true }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });

/** Reads every entry whose name matches. */
function readEntries<T>(
  zip: ZipFile,
  name: RegExp,
  read: (stream: NodeJS.ReadableStream) => Promise<T>,
): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const contents: T[] = [];
    zip.on("entry", (entry: Entry) => {
      if (!name.test(entry.fileName)) return zip.readEntry();
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        read(stream).then((content) => {
          contents.push(content);
          zip.readEntry();
        }, reject);
      });
    });
    zip.on("end", () => resolve(contents));
    zip.on("error", reject);
    zip.readEntry();
  });
}
