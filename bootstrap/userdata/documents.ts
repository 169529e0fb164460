import { gunzipSync } from "node:zlib";
import PostalMime from "postal-mime";
import { messageOf } from "../contract/errors.ts";

/** The type of the MIME part that contains a document of this project, next to cloud-config and other parts. */
export const partType = "application/x-eclair-ami";

/** EC2 permits 16 KiB of user-data, compressed. The limit prevents a decompression bomb. */
const largestDocumentBytes = 1024 * 1024;
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const base64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/**
 * The document of this project in the user-data of an instance; undefined when user-data contains none. User-data is the
 * document itself, or a MIME message with the document as a part. Both may be compressed with gzip, or encoded in base64.
 * @throws Error when the user-data cannot be unpacked, or contains two documents
 */
export async function documentIn(userData: Buffer): Promise<string | undefined> {
  const data = unpack(userData);
  const text = data.toString("utf8");
  if (!/^(content-type|mime-version):/im.test(text.slice(0, 4096).split(/\r?\n\r?\n/)[0] ?? ""))
    return isDocument(text) ? text : undefined;
  const message = await PostalMime.parse(data, { forceRfc822Attachments: false });
  const parts = message.attachments
    .filter((part) => part.mimeType === partType)
    .map((part) => unpack(Buffer.from(part.content as ArrayBuffer)).toString("utf8"));
  if (parts.length > 1)
    throw new Error(`user-data contains ${parts.length} parts of the type ${partType}: remove all but one`);
  return parts[0];
}

/** Decodes base64 and gzip, in every combination. */
function unpack(data: Buffer): Buffer {
  if (data.subarray(0, 2).equals(gzipMagic)) {
    try {
      return unpack(gunzipSync(data, { maxOutputLength: largestDocumentBytes }));
    } catch (error) {
      throw new Error(
        `user-data begins like gzip and cannot be unpacked (${messageOf(error)}): compress the document again and launch with the complete result`,
        { cause: error },
      );
    }
  }
  const text = data.toString("latin1");
  // A document contains a colon, and base64 does not.
  if (text.trim() !== "" && base64.test(text)) return unpack(Buffer.from(text, "base64"));
  return data;
}

/** Other user-data belongs to other programs, such as a shell script or a cloud-config. */
function isDocument(text: string): boolean {
  if (/^\s*#(!|cloud-|include|upstart|part-handler)/.test(text)) return false;
  return /^\s*["']?(apiversion|kind)["']?\s*:/im.test(text);
}
