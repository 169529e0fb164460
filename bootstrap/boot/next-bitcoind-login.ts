import { remoteEndpoint, type RemoteBitcoind } from "../bitcoind/remote-endpoint.ts";
import { bitcoindClient, RpcError, WarmingUp } from "../bitcoind/rpc/client.ts";
import { Transport } from "../bitcoind/rpc/transport.ts";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { isPinned, type PinnedVersion } from "../secrets/pinned.ts";
import type { Credentials } from "../secrets/shapes.ts";

/**
 * Logs in at each remote bitcoind whose login a rotation changes. With a login that is not installed there yet, this host would
 * lose the bitcoind: the boot fails, and the host continues with the previous login.
 * @param logins in the order of the remote bitcoinds
 * @throws EclairAmiError `bitcoind.login-refused`, retryable
 */
export async function requireNextBitcoindLogin(
  { bitcoind }: NodeConfiguration,
  logins: readonly Credentials[],
  pinned: PinnedVersion | undefined,
): Promise<void> {
  await Promise.all(
    bitcoind.remotes.map(async (remote, index) => {
      const login = logins[index];
      if (login === undefined || !isPinned(pinned, remote.secret)) return;
      const problem = await loginProblem(remote, login);
      if (problem !== undefined) throw refused(remote, problem);
    }),
  );
}

/** A bitcoind that starts, or that answers with an error, has accepted the login. */
async function loginProblem(remote: RemoteBitcoind, login: Credentials): Promise<string | undefined> {
  const transport = new Transport(remoteEndpoint(remote, login));
  const client = bitcoindClient(
    (path, body, authorization, signal) => transport.post(path, body, authorization, { signal }),
    login,
  );
  try {
    await client("getblockchaininfo");
    return undefined;
  } catch (error) {
    return error instanceof WarmingUp || error instanceof RpcError ? undefined : messageOf(error);
  } finally {
    transport.close();
  }
}

function refused({ host, rpcPort, secret }: RemoteBitcoind, problem: string): EclairAmiError {
  return new EclairAmiError({
    code: "bitcoind.login-refused",
    operation: `testing the next login at bitcoind ${host}:${rpcPort}`,
    message: `the login in the pending version of secret ${referenceOf(secret).id} does not work there: ${problem}`,
    remedy:
      "write the line `rpcauth=` that `eclair-ami rotate bitcoind` prints into bitcoin.conf of this bitcoind, and restart the bitcoind. This instance continues with the previous login, and tries again by itself",
    retryable: true,
  });
}
