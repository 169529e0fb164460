import {
  CreateImageCommand,
  DeregisterImageCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import { generateMnemonic, mnemonicToSeedSync } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { labPaths, layout } from "../../scripts/lab/paths.ts";
import { consoleOutput } from "../../scripts/cluster/console.ts";
import { labSettings } from "../../scripts/lab/target.ts";
import { bytesFromGuest, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { patternsOf, secretsIn, secretsInFile, type Patterns } from "./scan/patterns.ts";

const state = inject("labState");

describe.each(inject("images"))(
  "all secrets are only in RAM that is never swapped ($eclair)",
  ({ eclair, id: imageId }) => {
    /** Planted in every location, to prove that the scan reads the location. */
    const canary = randomBytes(32);
    let nodes: Cluster;
    let id: string;
    let patterns: Patterns;

    beforeAll(async () => {
      await createSeeds(`secrets-${eclair}/seeds`);
      nodes = await cluster(state, `secrets-${eclair}`, imageId);
      id = await nodes.launch(imageId);
      await nodes.waitUntilActive(id);
      const first = await secretsOfNode();
      await provokeLeaks();
      const { "database password": rotated = new Uint8Array() } = await secretsOfNode();
      patterns = patternsOf({ ...first, "next database password": rotated, canary });
    });
    afterAll(() => nodes.terminate(id));

    /** Creates the secret before `init` runs, with a passphrase and with both notations of a seed. */
    async function createSeeds(name: string): Promise<void> {
      const facts = readFacts(labPaths(state));
      if (facts === undefined) throw new Error("the lab is not up");
      const seeds = {
        nodeSeed: randomBytes(32).toString("hex"),
        channelSeed: randomBytes(32).toString("base64"),
        mnemonic: generateMnemonic(wordlist, 256),
        // In the form NFKD, beyond ASCII: a running Eclair proves that it derives the same keys.
        passphrase: `${randomBytes(8).toString("hex")} ключ 密 e\u0301`,
        birthday: Math.floor(Date.now() / 1000),
      };
      await new SecretsManagerClient(labSettings(facts)).send(
        new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(seeds) }),
      );
    }

    async function secretsOfNode(): Promise<Record<string, Uint8Array>> {
      const value = async (secret: unknown) => {
        const { SecretString = "" } = await nodes.secrets.send(
          new GetSecretValueCommand({ SecretId: String(secret) }),
        );
        return JSON.parse(SecretString) as Record<string, string>;
      };
      const { secrets, database } = nodes.configuration;
      const seeds = await value(secrets.nodeSeed);
      const nodeSeed = Buffer.from(seeds["nodeSeed"] ?? "", "hex");
      const channelSeed = Buffer.from(seeds["channelSeed"] ?? "", "base64");
      const file = await nodes.inGuest(id, "cat /run/eclair-supervisor/secrets.json");
      const { local } = JSON.parse(file.stdout) as { local: Record<string, string> };
      const master = HDKey.fromMasterSeed(nodeSeed);
      const phrase = seeds["mnemonic"] ?? "";
      const onChain = HDKey.fromMasterSeed(mnemonicToSeedSync(phrase, seeds["passphrase"]));
      const nodeKey = master.deriveChild(HARDENED_OFFSET + 46).deriveChild(HARDENED_OFFSET);
      return {
        "node seed": nodeSeed,
        "channel seed": channelSeed,
        "master private key": master.privateKey ?? new Uint8Array(),
        "node's private key": nodeKey.privateKey ?? new Uint8Array(),
        "channels' master private key": HDKey.fromMasterSeed(channelSeed).privateKey ?? new Uint8Array(),
        "on-chain mnemonic": Buffer.from(phrase),
        "on-chain passphrase": Buffer.from(seeds["passphrase"] ?? ""),
        "on-chain master private key": onChain.privateKey ?? new Uint8Array(),
        "database password": Buffer.from((await value(database.secret))["password"] ?? ""),
        ...Object.fromEntries(
          Object.entries(local).map(([name, text]) => [`${name} password`, Buffer.from(text)]),
        ),
      };
    }

    /** Causes a rotation, a restart, crashes and memory pressure, which could copy secrets to other locations. */
    async function provokeLeaks(): Promise<void> {
      const rotation = await nodes.runSetup(["rotate", "database"], imageId, "--restart");
      if (rotation.exitCode !== 0) throw new Error(rotation.all);
      await nodes.waitUntilActive(id);
      await nodes.inGuest(id, "systemctl restart eclair-bootstrap eclair-supervisor");
      await nodes.waitUntilActive(id);
      // After a SIGSEGV, Java writes a report with parts of its memory, unless its options prevent this.
      const ended = async () => {
        const log = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit=eclair-supervisor");
        return log.stdout.split('"event":"eclair.ended"').length;
      };
      for (const signal of ["SIGABRT", "SIGSEGV"]) {
        const before = await ended();
        const { exitCode } = await nodes.inGuest(id, `systemctl kill --signal=${signal} 'eclair@*'`);
        if (exitCode !== 0) throw new Error(`Eclair did not get ${signal}`);
        await eventually("the end of Eclair", async () => ((await ended()) > before ? true : undefined));
        await eventually("the next Eclair", () => nodes.api(id, "getinfo").catch(() => undefined));
      }
      await nodes.inGuest(
        id,
        "systemd-run --wait --quiet --property=MemoryMax=1500M sh -c 'head -c 1200M /dev/zero | tail -c 1199M >/dev/null'",
      );
    }

    /** Returns the names of the secrets that each location contains. */
    async function scan(images: readonly string[]): Promise<Record<string, string[]>> {
      await nodes.inGuest(id, "sync; journalctl --sync");
      const bytes = (script: string) => bytesFromGuest(nodes.lab, id, script);
      const layers = images.map((image) => join(layout.image(nodes.lab, image), "layer.img"));
      const { Volumes } = await nodes.target.client(EC2Client).send(
        new DescribeVolumesCommand({
          Filters: [{ Name: `tag:${tags.cluster}`, Values: [nodes.name] }],
        }),
      );
      const volumes = (Volumes ?? []).map(({ VolumeId }) => layout.volume(nodes.lab, VolumeId ?? ""));
      return {
        disk: await secretsAt(join(layout.instance(nodes.lab, id), "root.img")),
        "chain volume": (await Promise.all(volumes.map(secretsAt))).flat(),
        journal: secretsIn(await bytes("journalctl --no-pager --output=export --all"), patterns),
        "process list": secretsIn(await bytes("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), patterns),
        environments: secretsIn(await bytes("cat /proc/[0-9]*/environ | tr '\\0' ' '"), patterns),
        console: secretsIn(Buffer.from(await consoleOutput(nodes.target, id)), patterns),
        dumps: secretsIn(
          await bytes(
            "find / -xdev \\( -name 'core*' -o -name 'hs_err*' -o -name '*.hprof' -o -path '/var/crash/*' \\) -type f -size -64M -exec cat {} +",
          ),
          patterns,
        ),
        "temporary files": secretsIn(
          await bytes(
            "find /run /tmp /var/tmp /dev/shm -xdev -type f -not -path '/run/eclair/*' -not -path '/run/eclair-supervisor/*' -exec cat {} + 2>/dev/null",
          ),
          patterns,
        ),
        images: (await Promise.all(layers.map(secretsAt))).flat(),
      };
    }

    async function secretsAt(path: string): Promise<string[]> {
      const file = await open(path, "r");
      try {
        return await secretsInFile(
          async (buffer, position) => (await file.read(buffer, 0, buffer.length, position)).bytesRead,
          patterns,
        );
      } finally {
        await file.close();
      }
    }

    test(
      "the scan finds no secret, and finds planted copies in every location",
      { timeout: 400_000 },
      async () => {
        const clean = await scan([imageId]);
        expect(Object.fromEntries(Object.entries(clean).filter(([, found]) => found.length > 0))).toEqual({});

        const hex = canary.toString("hex");
        await nodes.inGuest(
          id,
          `echo ${hex} > /root/planted; echo ${hex} > /var/lib/bitcoin/planted
       echo ${hex} | systemd-cat
       systemd-run --quiet --setenv=PLANTED=${canary.toString("base64")} sleep 1000
       systemd-run --quiet sh -c 'sleep 1000; : ${hex.toUpperCase()}'
       echo ${hex} > /dev/console
       mkdir -p /var/crash; printf '${[...canary].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}' > /var/crash/core.1
       echo x${canary.toString("base64")} > /run/planted`,
        );
        const { ImageId } = await nodes.target
          .client(EC2Client)
          .send(new CreateImageCommand({ InstanceId: id, Name: `planted-${eclair}`, NoReboot: true }));
        const planted = await scan([imageId, ImageId ?? ""]);
        await nodes.target.client(EC2Client).send(new DeregisterImageCommand({ ImageId }));
        expect(planted).toEqual(
          Object.fromEntries(Object.keys(clean).map((location) => [location, ["canary"]])),
        );
      },
    );
  },
);
