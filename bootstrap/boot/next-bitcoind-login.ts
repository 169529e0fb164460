import { remoteEndpoint, type RemoteBitcoind } from "../bitcoind/remote-endpoint.ts";
import { AccessDenied, bitcoindClient, RpcError } from "../bitcoind/rpc/client.ts";
import { Transport } from "../bitcoind/rpc/transport.ts";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { isPinned, type PinnedVersion } from "../secrets/pinned.ts";
import type { Credentials } from "../secrets/shapes.ts";

/**
 * Logs in at each remote bitcoind whose login a rotation tests. With a login that is not installed there yet, this host would lose
 * the bitcoind: the boot fails, and the host continues with the previous login.
 * @param logins in the order of the remote bitcoinds
 * @throws EclairAmiError `bitcoind.login-refused` or `bitcoind.login-untested`, retryable
 */
export async function requireNextBitcoindLogin(
  { bitcoind }: NodeConfiguration,
  logins: readonly Credentials[],
  pinned: PinnedVersion | undefined,
): Promise<void> {
  if (pinned?.isTested === true) return;
  await Promise.all(
    bitcoind.remotes.map(async (remote, index) => {
      const login = logins[index];
      if (login !== undefined && isPinned(pinned, remote.secret)) await logIn(remote, login);
    }),
  );
}

async function logIn(remote: RemoteBitcoind, login: Credentials): Promise<void> {
  const transport = new Transport(remoteEndpoint(remote, login));
  const client = bitcoindClient(
    (path, body, authorization, signal) => transport.post(path, body, authorization, { signal }),
    login,
  );
  try {
    await client("getblockchaininfo");
  } catch (error) {
    // A bitcoind that answers with another error has accepted the login.
    if (error instanceof RpcError) return;
    throw error instanceof AccessDenied ? refused(remote, error.message) : untested(remote, messageOf(error));
  } finally {
    transport.close();
  }
}

const again = "This instance continues with the previous login, and tries again by itself";

function refused({ host, rpcPort, secret }: RemoteBitcoind, problem: string): EclairAmiError {
  return new EclairAmiError({
    code: "bitcoind.login-refused",
    operation: `testing the next login at bitcoind ${host}:${rpcPort}`,
    message: `the login in the pending version of secret ${referenceOf(secret).id} does not work there: ${problem}`,
    remedy: `write the line \`rpcauth=\` that \`eclair-ami rotate bitcoind\` prints into bitcoin.conf of this bitcoind, and restart the bitcoind. ${again}`,
    retryable: true,
  });
}

function untested({ host, rpcPort, secret }: RemoteBitcoind, problem: string): EclairAmiError {
  return new EclairAmiError({
    code: "bitcoind.login-untested",
    operation: `testing the next login at bitcoind ${host}:${rpcPort}`,
    message: `the login in the pending version of secret ${referenceOf(secret).id} cannot be tested: ${problem}`,
    remedy: `wait until this bitcoind has started, or repair it; or give the rotation up with \`eclair-ami rotate bitcoind --abandon\`. ${again}`,
    retryable: true,
  });
}
