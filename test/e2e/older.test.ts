import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { buildStandIn } from "../doubles/eclair/build.ts";
import { cli } from "./cli.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const older = inject("images").find(({ eclair }) => eclair === "stand-in")?.id ?? "";

test("an image with an older Eclair is refused once a newer one has run", { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-older-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const zip = await buildStandIn(folder, "0.13.1");
  const baked = await cli(["bake", "--fallback", "--json", "--state", state, "--eclair", zip]);
  expect(baked.exitCode, baked.all).toBe(0);
  const { imageId: newer } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as { imageId: string };

  const nodes = await cluster(state, "older", older);
  const first = await nodes.launch(older);
  await nodes.active(first);
  await nodes.terminate(first);
  await nodes.gone(first);
  const second = await nodes.launch(newer);
  expect((await nodes.active(second)).state?.versions.eclair).toBe("0.13.1");
  expect(await nodes.sql("select version from versions where db_name = 'channels'")).toBe("12");
  await nodes.terminate(second);
  await nodes.gone(second);

  const generation = await nodes.sql("select generation from eclair_ami.progress");
  const third = await nodes.launch(older);
  await expect(nodes.active(third)).rejects.toThrow(
    /eclair\.older: Eclair 0\.13\.0 of this image is older than the database's schemas .*channels 12/,
  );
  expect((await nodes.inGuest(third, "systemctl is-active eclair@a bitcoind")).stdout).toBe(
    "inactive\ninactive",
  );
  expect(await nodes.sql("select generation from eclair_ami.progress")).toBe(generation);
  await nodes.terminate(third);
});
