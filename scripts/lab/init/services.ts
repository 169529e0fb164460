import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { motoDir, nodeBinary, root } from "../../machine/paths.mjs";
import { apiPort, motoPort, services } from "../addresses.ts";
import { dnsmasqArguments } from "../dns/dnsmasq.ts";
import { layout, type LabPaths } from "../paths.ts";
import { haproxyArguments } from "../nlb/haproxy.ts";
import { rpcCredentials, rpcPort } from "../miner/rpc.ts";

/** A long-running process of the lab. */
export type Service = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the service is restarted when it ends. Otherwise its state is lost, and the lab ends. */
  readonly restart: boolean;
};

/** The services in the order of their start. */
export function labServices(lab: LabPaths, linkAddress: string): Service[] {
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
      env: {
        MOTO_AMIS_PATH: layout.amis(lab),
        MOTO_EC2_LOAD_DEFAULT_AMIS: "false",
        // CloudFormation creates resources with calls of the lab's API, whose controller knows more than moto.
        LAB_API: `http://${services.api}:${apiPort}`,
        LAB_PROPERTIES_FILE: layout.stackProperties(lab),
      },
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

/** The mount point of the miner's Debian tree. The tree also contains the chain. */
export const minerTree = (lab: LabPaths) => join(layout.run(lab), "miner");

function bitcoind(lab: LabPaths): Service["command"] {
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
    `-rpcuser=${rpcCredentials.username}`,
    `-rpcpassword=${rpcCredentials.password}`,
  ];
}
