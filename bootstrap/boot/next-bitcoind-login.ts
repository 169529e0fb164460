import { remoteEndpoint, type RemoteBitcoind } from "../bitcoind/endpoints.ts";
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

function refused(remote: RemoteBitcoind, problem: string): EclairAmiError {
  return notAccepted(remote, {
    code: "bitcoind.login-refused",
    problem: `does not work there: ${problem}`,
    remedy:
      "write the line `rpcauth=` that `eclair-ami rotate bitcoind` prints into bitcoin.conf of this bitcoind, and restart the bitcoind",
  });
}

function untested(remote: RemoteBitcoind, problem: string): EclairAmiError {
  return notAccepted(remote, {
    code: "bitcoind.login-untested",
    problem: `cannot be tested: ${problem}`,
    remedy:
      "wait until this bitcoind has started, or repair it; or give the rotation up with `eclair-ami rotate bitcoind --abandon`",
  });
}

function notAccepted(
  { host, rpcPort, secret }: RemoteBitcoind,
  { code, problem, remedy }: Pick<EclairAmiError, "code" | "remedy"> & { readonly problem: string },
): EclairAmiError {
  return new EclairAmiError({
    code,
    operation: `testing the next login at bitcoind ${host}:${rpcPort}`,
    message: `the login in the pending version of secret ${referenceOf(secret).id} ${problem}`,
    remedy: `${remedy}. This instance continues with the previous login, and tries again by itself`,
    retryable: true,
  });
}
