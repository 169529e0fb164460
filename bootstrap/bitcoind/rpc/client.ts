import { messageOf } from "../../contract/errors.ts";

const defaultMilliseconds = 2_500;
/** bitcoind's RPC_IN_WARMUP. */
const inWarmUp = -28;

/** bitcoind answers, and is not ready: it loads its block index, or replays blocks. */
export class WarmingUp extends Error {}

/** bitcoind refuses the login, or does not permit the call to it. */
export class AccessDenied extends Error {}

/** bitcoind answers a call with an error. */
export class RpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Calls bitcoind's JSON-RPC, or the RPC of one of its wallets.
 * @throws WarmingUp while bitcoind starts, AccessDenied, RpcError with bitcoind's message, Error without an answer
 */
export type BitcoindClient = (
  method: string,
  params?: readonly unknown[] | Readonly<Record<string, unknown>>,
  options?: { readonly wallet?: string; readonly milliseconds?: number },
) => Promise<unknown>;

export type RpcCredentials = { readonly username: string; readonly password: string };

/** Sends the body of a request, and returns status and body of the answer. */
export type Post = (
  path: string,
  body: string,
  authorization: string,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: string }>;

export const basicAuthorization = ({ username, password }: RpcCredentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

export function bitcoindClient(post: Post, credentials: RpcCredentials): BitcoindClient {
  const authorization = basicAuthorization(credentials);
  return async (method, params = [], { wallet, milliseconds = defaultMilliseconds } = {}) => {
    const path = wallet === undefined ? "/" : `/wallet/${wallet}`;
    const request = JSON.stringify({ jsonrpc: "1.0", id: "eclair-ami", method, params });
    const { status, body } = await post(path, request, authorization, AbortSignal.timeout(milliseconds));
    if (status === 401)
      throw new AccessDenied(
        `bitcoind refuses the login of the user ${credentials.username}: check the password`,
      );
    if (status === 403)
      throw new AccessDenied(`bitcoind does not permit ${method} to the user ${credentials.username}`);
    const { result, error } = parseAnswer(body, status);
    if (error === null) return result;
    if (error.code === inWarmUp) throw new WarmingUp(`bitcoind starts: ${error.message}`);
    throw new RpcError(error.code, `${method}: ${error.message}`);
  };
}

type Answer = {
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
};

function parseAnswer(body: string, status: number): Answer {
  try {
    return JSON.parse(body) as Answer;
  } catch (error) {
    throw new Error(`the answer with the HTTP status ${status} is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
