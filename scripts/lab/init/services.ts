import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { motoDir, nodeBinary, root } from "../../setup/places.mjs";
import { motoPort, services } from "../addresses.ts";
import { dnsmasqArguments } from "../control/dns.ts";
import { layout, type LabPlace } from "../place.ts";
import { haproxyArguments } from "../nlb/haproxy.ts";
import { rpcPassword, rpcPort, rpcUser } from "../miner/rpc.ts";

/** A long-running part of the lab. */
export type Service = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it holds nothing that is lost with it; else the lab ends when it does. */
  readonly restart: boolean;
};

/** The lab's parts in the order in which they start. */
export function labServices(lab: LabPlace, linkAddress: string): Service[] {
  const script = (path: string, ...args: string[]): Service["command"] => [
    nodeBinary,
    join(root, path),
    ...args,
  ];
  return [
    {
      name: "moto",
      command: [
        join(motoDir(), "bin/python"),
        join(root, "scripts/lab/moto/serve.py"),
        ...["--host", "127.0.0.1", "--port", String(motoPort)],
      ],
      env: { MOTO_AMIS_PATH: join(lab.state, "amis.json"), MOTO_EC2_LOAD_DEFAULT_AMIS: "false" },
      restart: false,
    },
    { name: "dnsmasq", command: ["dnsmasq", ...dnsmasqArguments(lab)], restart: true },
    { name: "haproxy", command: ["haproxy", ...haproxyArguments(lab)], restart: true },
    { name: "bitcoind", command: bitcoind(lab), restart: true },
    { name: "miner", command: script("scripts/lab/miner/main.ts"), restart: true },
    {
      name: "controller",
      command: script("scripts/lab/control/main.ts", lab.state, linkAddress),
      restart: true,
    },
  ];
}

/** Where the miner's Debian tree is mounted, and its chain inside it. */
export const minerTree = (lab: LabPlace) => join(layout.run(lab), "miner");

function bitcoind(lab: LabPlace): Service["command"] {
  mkdirSync(minerTree(lab), { recursive: true });
  return [
    "chroot",
    minerTree(lab),
    "bitcoind",
    "-regtest",
    "-datadir=/var/lib/miner",
    "-txindex=1",
    "-fallbackfee=0.0001",
    "-printtoconsole=1",
    "-debuglogfile=0",
    "-dnsseed=0",
    "-listenonion=0",
    "-natpmp=0",
    `-bind=${services.miner}`,
    `-rpcbind=${services.miner}`,
    `-rpcport=${rpcPort}`,
    `-rpcallowip=${services.miner}/32`,
    `-rpcuser=${rpcUser}`,
    `-rpcpassword=${rpcPassword}`,
  ];
}
