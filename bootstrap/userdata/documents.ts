import { gunzipSync } from "node:zlib";
import PostalMime from "postal-mime";

/** The type of the MIME part that holds a document of this project, beside cloud-config and others. */
export const partType = "application/x-eclair-ami";

/** EC2 allows 16 KiB of user-data; unpacked it must not be a bomb. */
const longestDocument = 1024 * 1024;
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const base64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/**
 * The one document of this project in an instance's user-data, or undefined when nothing there is meant for it.
 * User-data may be the document itself or a MIME message with it as a part, gzipped or not, in base64 or not.
 * @throws Error when it can't be unpacked, or holds two documents
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
    throw new Error(
      `user-data holds ${parts.length} parts of the type ${partType}: one node can't be two; leave one`,
    );
  return parts[0];
}

/** Takes base64 and gzip off, as often as they were put on. */
function unpack(data: Buffer): Buffer {
  if (data.subarray(0, 2).equals(gzipMagic)) {
    try {
      return unpack(gunzipSync(data, { maxOutputLength: longestDocument }));
    } catch (error) {
      throw new Error(
        `user-data begins like gzip but can't be unpacked (${error instanceof Error ? error.message : String(error)}): compress it again and launch with the whole of it`,
        { cause: error },
      );
    }
  }
  const text = data.toString("latin1");
  // YAML has a colon, which base64 has not.
  if (text.trim() !== "" && base64.test(text)) return unpack(Buffer.from(text, "base64"));
  return data;
}

/** Anything else in user-data is somebody else's: a shell script, a cloud-config. */
function isDocument(text: string): boolean {
  if (/^\s*#(!|cloud-|include|upstart|part-handler)/.test(text)) return false;
  return /^\s*["']?(apiversion|kind)["']?\s*:/im.test(text);
}
