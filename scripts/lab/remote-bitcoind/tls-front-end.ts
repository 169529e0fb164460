import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../machine/files.ts";
import { remoteBitcoindName } from "../addresses.ts";
import { rpcPort } from "../miner/rpc.ts";
import { layout, type LabPaths } from "../paths.ts";
import { createAuthority, issueCertificate } from "../rds/certificates.ts";
import { zmqPorts, type RemoteBitcoind } from "./remote-bitcoind.ts";

const tlsPorts = { rpc: 8443, block: 8444, tx: 8445 } as const;

/** The certificate authority of the TLS front ends, in PEM. */
const authority = (lab: LabPaths) => createAuthority(join(lab.state, "bitcoind-ca"), "lab bitcoind CA");

/**
 * Starts an HAProxy with TLS in front of a remote bitcoind.
 * @param certificateNumber the host whose certificate the front end has; another host's certificate must be refused
 * @returns the keys of `bitcoind.remotes` in a configuration
 */
export async function startTlsFrontEnd(
  lab: LabPaths,
  remote: RemoteBitcoind,
  {
    number,
    certificateNumber = number,
    secret,
  }: { readonly number: number; readonly certificateNumber?: number; readonly secret: string },
): Promise<object> {
  const folder = join(layout.run(lab), `bitcoind-tls-${number}`);
  const ca = await authority(lab);
  const { certificate, key } = await issueCertificate(ca, remoteBitcoindName(certificateNumber), folder);
  const pem = join(folder, "server.pem");
  writeFileAtomically(pem, `${readFileSync(certificate, "utf8")}${readFileSync(key, "utf8")}`);
  const proxy = (name: string, from: number, to: number) => `listen ${name}
  mode tcp
  timeout connect 3s
  timeout client 1h
  timeout server 1h
  bind ${remote.address}:${from} ssl crt ${pem}
  server bitcoind ${remote.address}:${to}
`;
  const file = join(folder, "haproxy.cfg");
  writeFileAtomically(
    file,
    [
      proxy("rpc", tlsPorts.rpc, rpcPort),
      proxy("block", tlsPorts.block, zmqPorts.block),
      proxy("tx", tlsPorts.tx, zmqPorts.tx),
    ].join(""),
  );
  await remote.run(`exec haproxy -D -q -f ${file}`);
  const host = remoteBitcoindName(number);
  return {
    ...{ host, rpcPort: tlsPorts.rpc, secret },
    ...{ zmqBlock: `${host}:${tlsPorts.block}`, zmqTx: `${host}:${tlsPorts.tx}` },
    ca: readFileSync(ca.certificate, "utf8"),
  };
}
