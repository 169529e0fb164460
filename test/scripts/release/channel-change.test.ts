import { beforeEach, expect, test } from "vitest";
import { OwnedChange, type WantedChange } from "../../../scripts/release/channels/channel-change.ts";
import { channelFile, ChannelDocument, currentVersion } from "../../../scripts/release/store/channel.ts";
import type { ReleaseStore } from "../../../scripts/release/store/store.ts";

/** The documents of a bucket, with its conditional writes. */
class Bucket {
  readonly objects = new Map<string, { text: string; etag: string }>();
  private writes = 0;

  async read(name: string): Promise<unknown> {
    const found = this.objects.get(name);
    return await Promise.resolve(
      found && { value: ChannelDocument.parse(JSON.parse(found.text)), etag: found.etag },
    );
  }

  async write(name: string, value: unknown, previous: { etag: string } | undefined): Promise<unknown> {
    if (this.objects.get(name)?.etag !== previous?.etag) return await Promise.resolve(undefined);
    this.writes += 1;
    const etag = String(this.writes);
    this.objects.set(name, { text: JSON.stringify(value), etag });
    return { value, etag };
  }
}

let bucket: Bucket;
let waits: string[];
const options = { silentSeconds: 1, onWait: (message: string) => void waits.push(message) };
beforeEach(() => {
  bucket = new Bucket();
  waits = [];
});

const to =
  (version: string, kind: WantedChange["kind"] = "promote") =>
  async (document: ChannelDocument) =>
    await Promise.resolve(
      document.change === undefined && currentVersion(document) === version
        ? undefined
        : { kind, to: version, by: "lab" },
    );

const begin = async (wanted: ReturnType<typeof to>, silentSeconds = 1) =>
  await OwnedChange.begin(bucket as unknown as ReleaseStore, "stable", wanted, { ...options, silentSeconds });
const document = (): ChannelDocument =>
  ChannelDocument.parse(JSON.parse(bucket.objects.get(channelFile("stable"))?.text ?? ""));

test("the intent is written before the first region, and the history after the last", async () => {
  const change = await begin(to("0.13.0-1"));
  expect(document()).toMatchObject({ history: [], change: { from: null, to: "0.13.0-1", by: "lab" } });
  await change?.renew();
  await change?.complete();
  expect(document().change).toBeUndefined();
  expect(document().history).toMatchObject([{ kind: "promote", from: null, to: "0.13.0-1", by: "lab" }]);
  expect(await begin(to("0.13.0-1"))).toBeUndefined();
});

test("an abandoned change is finished at once, or reverted", async () => {
  await (await begin(to("0.13.0-1")))?.complete();
  await (await begin(to("0.13.0-2")))?.abandon(true);
  const reverted = await begin(to("0.13.0-1", "revert"));
  expect(reverted?.change).toMatchObject({ kind: "revert", from: "0.13.0-2", to: "0.13.0-1" });
  await reverted?.complete();
  expect(currentVersion(document())).toBe("0.13.0-1");
  expect(waits).toEqual([]);
});

test("an unfinished change to another version is refused, and says how to go on", async () => {
  await (await begin(to("0.13.0-1")))?.complete();
  await (await begin(to("0.13.0-2")))?.abandon(true);
  await expect(begin(to("0.13.0-3"))).rejects.toMatchObject({
    code: "release.channel-busy",
    message: "the promote from 0.13.0-1 to 0.13.0-2 by lab is unfinished",
    remedy: "promote 0.13.0-2 to finish it, or promote 0.13.0-1 --rollback to revert it",
  });
});

test("a process that works is waited for, and one that ended is replaced after its silence", async () => {
  const first = await begin(to("0.13.0-1"));
  const second = begin(to("0.13.0-1"));
  // The first process shows that it works, and then ends without a word.
  await first?.renew();
  const started = performance.now();
  const taken = await second;
  expect(performance.now() - started).toBeGreaterThan(900);
  expect(waits).toHaveLength(2);
  await expect(first?.renew()).rejects.toMatchObject({ code: "release.channel-taken-over" });
  await taken?.complete();
  expect(document().history).toHaveLength(1);
});

test("of two processes with different versions, one is refused while the other works", async () => {
  const results = await Promise.allSettled([begin(to("0.13.0-1")), begin(to("0.13.0-2"))]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(document().change?.to).toMatch(/^0\.13\.0-[12]$/);
});

test("the second of two processes with the same version has nothing to do", async () => {
  const first = await begin(to("0.13.0-1"));
  const second = begin(to("0.13.0-1"), 30);
  await first?.complete();
  expect(await second).toBeUndefined();
  expect(document().history).toHaveLength(1);
});

test("nothing remains of a new change that was given up before its first region", async () => {
  await (await begin(to("0.13.0-1")))?.complete();
  await (await begin(to("0.13.0-2")))?.abandon(false);
  expect(document().change).toBeUndefined();
  expect(currentVersion(document())).toBe("0.13.0-1");
});
