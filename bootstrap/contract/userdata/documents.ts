import { gunzipSync } from "node:zlib";
import PostalMime from "postal-mime";

/** The type of the MIME part that contains a document of this project, next to cloud-config and other parts. */
export const partType = "application/x-eclair-ami";

/** EC2 permits 16 KiB of user-data, compressed. The limit prevents a decompression bomb. */
const largestDocumentBytes = 1024 * 1024;
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const base64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/** User-data that contains this text is meant for this project. */
const mention = /eclair-ami\/|application\/x-eclair-ami/i;
/** A key of a document at the start of a line, in YAML or JSON. */
const documentKey = /^\s*\{?\s*["']?(apiversion|kind)["']?\s*:/im;
/** The first words by which cloud-init recognises the format of user-data (`cloudinit/handlers/__init__.py`). */
const cloudInitFormat =
  /^\s*(#!|#cloud-config-archive|#cloud-config|#cloud-boothook|#include-once|#include|#part-handler|#upstart-job|## template: *jinja)/;

export type Document = {
  readonly text: string;
  /** The place of the document in the user-data, when the user-data contains more than the document. */
  readonly place?: string;
};

/**
 * The document of this project in user-data; undefined when the user-data does not mention this project. User-data is the
 * document itself, or a MIME message with the document as a part. Both may be compressed with gzip, or encoded in base64, as
 * cloud-init permits.
 * @throws Error with the reason, when the user-data cannot be unpacked, contains two documents, or mentions this project and
 * contains no document
 */
export async function documentIn(userData: Buffer): Promise<Document | undefined> {
  const data = unpack(userData);
  const text = textOf(data);
  if (isMime(text)) return await documentInMime(data);
  const [, format] = cloudInitFormat.exec(text) ?? [];
  if (format === undefined) return mention.test(text) || documentKey.test(text) ? { text } : undefined;
  if (!mention.test(text)) return undefined;
  throw new Error(
    `line ${lineOf(text, format)}: \`${format}\` makes the user-data a file of cloud-init, and line ${lineOf(text, mention)} mentions eclair-ami: remove \`${format}\`, or send both as parts of a MIME message, with the type ${partType} for the document`,
  );
}

async function documentInMime(data: Buffer): Promise<Document | undefined> {
  const message = await PostalMime.parse(data, { forceRfc822Attachments: false });
  const texts = [message.text, message.html].filter((text) => text !== undefined);
  const parts = message.attachments.map(({ mimeType, content }) => ({
    mimeType,
    text: textOf(unpack(Buffer.from(content as ArrayBuffer))),
  }));
  const own = parts.filter(({ mimeType }) => mimeType.toLowerCase() === partType);
  if (own.length > 1)
    throw new Error(`user-data contains ${own.length} parts of the type ${partType}: remove all but one`);
  const [found] = own;
  if (found !== undefined) {
    if (found.text.trim() === "") throw new Error(`the part of the type ${partType} is empty`);
    return { text: found.text, place: `the part ${partType}` };
  }
  const other = parts.find(({ text }) => mention.test(text));
  const type = other?.mimeType ?? (texts.some((text) => mention.test(text)) ? "text/plain" : undefined);
  if (type !== undefined)
    throw new Error(
      `a part of the type ${type} mentions eclair-ami, and no part has the type ${partType}: give the part with the document this type`,
    );
  if (mention.test(textOf(data)))
    throw new Error(
      `line ${lineOf(textOf(data), mention)} mentions eclair-ami, and no part of the MIME message has the type ${partType}: check the boundaries of the parts`,
    );
  return undefined;
}

/** Whether cloud-init reads a text as a MIME message (`convert_string` in `cloudinit/user_data.py`), or should. */
const isMime = (text: string): boolean => {
  const [header = ""] = text
    .trimStart()
    .slice(0, 4096)
    .split(/\r?\n\r?\n/);
  return /^(content-type|mime-version):/im.test(header);
};

/** The line of the first match, from 1. */
function lineOf(text: string, match: string | RegExp): number {
  const at = typeof match === "string" ? text.indexOf(match) : text.search(match);
  return text.slice(0, Math.max(at, 0)).split("\n").length;
}

function textOf(data: Buffer): string {
  for (const encoding of ["utf-16le", "utf-16be"] as const)
    if (mention.test(new TextDecoder(encoding).decode(data)))
      throw new Error("the user-data is encoded in UTF-16: save the document in UTF-8");
  // A byte order mark is not a part of the text.
  return new TextDecoder("utf-8").decode(data);
}

/** https://nodejs.org/api/zlib.html#constants */
function gzipProblem(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === "Z_BUF_ERROR") return "ends too early";
  if (code === "ERR_BUFFER_TOO_LARGE") return `contains more than ${largestDocumentBytes} bytes`;
  return "is damaged";
}

/** Decodes base64 and gzip, in every combination. */
export function unpack(data: Buffer): Buffer {
  if (data.subarray(0, 2).equals(gzipMagic)) {
    try {
      return unpack(gunzipSync(data, { maxOutputLength: largestDocumentBytes }));
    } catch (error) {
      throw new Error(
        `user-data begins like gzip and ${gzipProblem(error)}: compress the document again and launch with the complete result`,
        { cause: error },
      );
    }
  }
  const text = data.toString("latin1");
  // A document contains a colon, and base64 does not.
  if (text.trim() !== "" && base64.test(text)) return unpack(Buffer.from(text, "base64"));
  return data;
}
