import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { buildStandIn } from "../../scripts/image/bake/substitutes/stand-in.ts";
import { cli } from "./cli.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const olderImage = inject("images").find(({ eclair }) => eclair === "stand-in")?.id ?? "";

test("an image with an older Eclair is refused after a newer Eclair has used the database", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-older-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const zip = await buildStandIn(folder, "0.13.1");
  const baked = await cli(["bake", "--skip-releases", "--json", "--state", state, "--eclair", zip]);
  expect(baked.exitCode, baked.all).toBe(0);
  const { imageId: newerImage } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as {
    imageId: string;
  };

  const nodes = await cluster(state, "older", olderImage);
  const first = await nodes.launch(olderImage);
  await nodes.waitUntilActive(first);
  await nodes.terminate(first);
  await nodes.waitUntilTerminated(first);
  const second = await nodes.launch(newerImage);
  expect((await nodes.waitUntilActive(second)).report?.versions.eclair).toBe("0.13.1");
  expect(await nodes.sql("select version from versions where db_name = 'channels'")).toBe("12");
  await nodes.terminate(second);
  await nodes.waitUntilTerminated(second);

  const generation = await nodes.sql("select generation from eclair_ami.progress");
  const third = await nodes.launch(olderImage);
  await expect(nodes.waitUntilActive(third)).rejects.toThrow(
    /eclair\.too-old: Eclair 0\.13\.0 of this image is older than the database's schemas .*channels 12/,
  );
  expect((await nodes.inGuest(third, "systemctl is-active eclair@a bitcoind")).stdout).toBe(
    "inactive\ninactive",
  );
  expect(await nodes.sql("select generation from eclair_ami.progress")).toBe(generation);
  await nodes.terminate(third);
});
