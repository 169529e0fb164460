import { DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { eventually } from "./cli.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const imageId = inject("images")[0]?.id ?? "";

/** Overwrites the databases of bitcoind's block index. */
const corruptIndex = `systemctl stop bitcoind
for file in /var/lib/bitcoin/regtest/blocks/index/*.ldb /var/lib/bitcoin/regtest/blocks/index/*.log; do
  [ -s "$file" ] && dd if=/dev/urandom of="$file" bs=1 count="$(stat -c %s "$file")" conv=notrunc status=none
done
systemctl start --no-block bitcoind`;

test("a corrupt index is built again once; then the next instance uses another volume", async () => {
  const nodes = await cluster(state, "index", imageId);
  const first = await nodes.launch(imageId);
  await nodes.waitUntilActive(first);
  const log = async () =>
    (await nodes.inGuest(first, "journalctl --no-pager --output=cat --unit=bitcoind")).stdout;

  await nodes.inGuest(first, corruptIndex);
  await eventually("bitcoind to build its index again", async () => {
    const text = await log();
    return text.includes('"event":"bitcoind.reindexes"') &&
      (await nodes.status(first))?.report?.bitcoind.known === true
      ? text
      : undefined;
  });
  await nodes.waitUntilActive(first);

  await nodes.inGuest(first, corruptIndex);
  await eventually("the index to be known as broken", async () =>
    (await log()).includes('"next":"broken"') ? true : undefined,
  );
  await nodes.terminate(first);
  await nodes.waitUntilTerminated(first);

  const second = await nodes.launch(imageId);
  await expect(nodes.waitUntilActive(second)).rejects.toThrow(/volume\.broken: bitcoind's index on vol-/);
  const { Volumes = [] } = await nodes.target.client(EC2Client).send(
    new DescribeVolumesCommand({
      Filters: [
        { Name: `tag:${tags.cluster}`, Values: [nodes.name] },
        { Name: `tag:${tags.broken}`, Values: ["index"] },
      ],
    }),
  );
  expect(Volumes).toHaveLength(1);
  await nodes.terminate(second);
  await nodes.waitUntilTerminated(second);

  const third = await nodes.launch(imageId);
  await nodes.waitUntilActive(third);
  await nodes.terminate(third);
});
