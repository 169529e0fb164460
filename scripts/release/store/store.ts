import { GetObjectCommand, paginateListObjectsV2, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { z } from "zod";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import type { Release } from "../document/schema.ts";

/** A document in the bucket, with the tag that makes a conditional write possible. */
export type Stored<T> = { readonly value: T; readonly etag: string };

/**
 * The documents of the releases in the versioned bucket. Every write is conditional: a document is created only when it
 * does not exist, and changed only when nobody has changed it since it was read.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class ReleaseStore {
  private readonly s3: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(target: Target, { manifests: { bucket, region, prefix } }: Pick<Release, "manifests">) {
    this.s3 = target.client(S3Client, { region });
    this.bucket = bucket;
    this.prefix = prefix;
  }

  /** Where a document is, for people. */
  locationOf(name: string): string {
    return `s3://${this.bucket}/${this.prefix}${name}`;
  }

  /** @throws EclairAmiError `release.store-invalid` when the document is not one of this project */
  async read<S extends z.ZodType>(name: string, schema: S): Promise<Stored<z.output<S>> | undefined> {
    const found = await this.readText(name);
    if (found === undefined) return undefined;
    try {
      return { value: schema.parse(JSON.parse(found.text)), etag: found.etag };
    } catch (error) {
      throw new EclairAmiError(
        {
          code: "release.store-invalid",
          operation: `reading ${this.locationOf(name)}`,
          message: "the object is not a document that this version of eclair-ami wrote",
          remedy: "restore an earlier version of the object, or use the version of eclair-ami that wrote it",
        },
        { cause: error },
      );
    }
  }

  /**
   * Writes a document.
   * @param previous undefined when the document must not exist
   * @returns undefined when somebody else has changed or created it
   */
  async write<T>(
    name: string,
    value: T,
    previous: Stored<unknown> | undefined,
  ): Promise<Stored<T> | undefined> {
    const text = `${JSON.stringify(value, undefined, 2)}\n`;
    try {
      const { ETag = "" } = await this.s3.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: this.prefix + name,
          Body: text,
          ContentType: "application/json",
          ...(previous === undefined ? { IfNoneMatch: "*" } : { IfMatch: previous.etag }),
        }),
      );
      return { value, etag: ETag };
    } catch (error) {
      // S3 answers 409 when another conditional write is in progress.
      if (!(error instanceof Error && /^(PreconditionFailed|ConditionalRequestConflict)$/.test(error.name)))
        throw error;
      // The SDK repeats a call whose answer was lost, and S3 refuses the repetition.
      const found = await this.readText(name);
      return found?.text === text ? { value, etag: found.etag } : undefined;
    }
  }

  private async readText(
    name: string,
  ): Promise<{ readonly text: string; readonly etag: string } | undefined> {
    try {
      const { Body, ETag = "" } = await this.s3.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: this.prefix + name }),
      );
      return { text: (await Body?.transformToString()) ?? "", etag: ETag };
    } catch (error) {
      if (error instanceof Error && /^(NoSuchKey|NotFound)$/.test(error.name)) return undefined;
      throw error;
    }
  }

  /**
   * Changes a document, and reads it again when somebody else has changed it in the meantime.
   * @param change returns the document itself when nothing is to do
   */
  async update<S extends z.ZodType>(
    name: string,
    schema: S,
    change: (value: z.output<S> | undefined) => z.output<S>,
  ): Promise<z.output<S>> {
    for (;;) {
      const stored = await this.read(name, schema);
      const next = change(stored?.value);
      if (next === stored?.value) return next;
      const written = await this.write(name, next, stored);
      if (written !== undefined) return written.value;
    }
  }

  /** The names of the documents whose names begin with a text. */
  async list(start: string): Promise<string[]> {
    const names: string[] = [];
    const Prefix = this.prefix + start;
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: this.s3 },
      { Bucket: this.bucket, Prefix },
    ))
      names.push(
        ...Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key.slice(this.prefix.length)])),
      );
    return names;
  }
}
