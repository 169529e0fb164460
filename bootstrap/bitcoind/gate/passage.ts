import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../contract/errors.ts";
import { logError, logEvent } from "../../os/log.ts";
import type { Backend } from "./backend.ts";
import { isAccepted, transactionsOf } from "./wallet/broadcasts.ts";
import { inputsOf } from "./wallet/outpoint.ts";
import type { BitcoindGate } from "./gate.ts";
import { errorAnswer, resultsOf, type Call, type RpcRequest } from "../rpc/request.ts";
import { NoAnswer, type RpcAnswer } from "../rpc/transport.ts";

/** bitcoind answers a batch and a call that succeeded with 200. */
const ok = 200;
const serverError = 500;
/** Eclair waits 60 s for an answer (`DefaultReadTimeout` of sttp). Then it gives up the channel that its transaction funds. */
const broadcastMilliseconds = 45_000;
const pollMilliseconds = 250;

/**
 * Passes a request of Eclair to the chosen bitcoind. When this bitcoind ends without an answer, the next one answers; a
 * request that changes the wallet is sent once only. A broadcast whose answer was lost waits for a bitcoind that can be used, and
 * is sent again.
 * @param path `/` or `/wallet/<name>`
 * @param waitMilliseconds for how long a broadcast is repeated after an answer was lost
 */
export async function passRequest(
  gate: BitcoindGate,
  path: string,
  body: string,
  request: RpcRequest,
  waitMilliseconds = broadcastMilliseconds,
): Promise<RpcAnswer> {
  for (const call of request.calls) gate.walletState.observeRequest(call);
  const answer = () => passToChosen(gate, path, body, request, waitMilliseconds);
  return request.effect === "read" ? await answer() : await gate.whileCallIsPending(answer);
}

async function passToChosen(
  gate: BitcoindGate,
  path: string,
  body: string,
  request: RpcRequest,
  waitMilliseconds: number,
): Promise<RpcAnswer> {
  // Until this time, a broadcast is sent to the same bitcoind again.
  const end = request.effect === "broadcast" ? performance.now() + waitMilliseconds : 0;
  const independent = independentBroadcasts(gate, request);
  let backend = await gate.current();
  const tried = new Set<Backend>();
  let mayHaveArrived = false;
  while (backend !== undefined && (!tried.has(backend) || performance.now() < end)) {
    if (backend.mayBeOnOtherChain) return failure(request, `bitcoind (${backend.name}) ${backend.problem}`);
    if (backend.mayHaveForgotten && request.effect === "change")
      return failure(
        request,
        `bitcoind (${backend.name}) may have started again, and does not have Eclair's locked outputs yet`,
      );
    if (tried.size === 0) for (const call of independent) broadcastTo(gate.others(backend), call);
    tried.add(backend);
    try {
      const answer = await send(backend, path, body, request);
      noteResults(gate, backend, { request, answer, independent });
      noteChange(backend, request, "answered");
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      mayHaveArrived ||= error.mayHaveArrived;
      const isRepeatable = request.effect !== "change" || !error.mayHaveArrived;
      noteChange(backend, request, error.mayHaveArrived ? "no answer" : "not sent");
      let next = await gate.replace(backend, error);
      if (!isRepeatable)
        return failure(
          request,
          `bitcoind (${backend.name}) did not answer, and the call is not repeated: ${messageOf(error)}`,
        );
      if (mayHaveArrived) next ??= await waitForUsable(gate, end);
      if (next === undefined)
        return failure(request, `bitcoind (${backend.name}) does not answer: ${messageOf(error)}`);
      backend = next;
    }
  }
  return failure(request, "no bitcoind can be used");
}

/** @param end by the clock of `performance.now()` */
async function waitForUsable(gate: BitcoindGate, end: number): Promise<Backend | undefined> {
  while (performance.now() < end) {
    const backend = await gate.current();
    if (backend?.isUsable === true && !backend.mayBeOnOtherChain) return backend;
    await sleep(pollMilliseconds);
  }
  return undefined;
}

/** An idle connection may end just when a request is sent, so a read is sent once more, on a new connection. */
async function send(
  backend: Backend,
  path: string,
  body: string,
  { effect }: RpcRequest,
): Promise<RpcAnswer> {
  if (effect === "change") return await backend.pass(path, body, { fresh: true });
  try {
    return await backend.pass(path, body, { fresh: false });
  } catch (error) {
    // The gate has given up this broadcast: it changes to another bitcoind.
    const wasGivenUp = effect === "broadcast" && error instanceof NoAnswer && error.wasGivenUp;
    if (!backend.isUsable || wasGivenUp) throw error;
    return await backend.pass(path, body, { fresh: true });
  }
}

/**
 * The broadcasts that every bitcoind receives at once, such as a commitment or a penalty. Eclair may give up a transaction that spends
 * outputs that Eclair has locked.
 */
function independentBroadcasts({ walletState }: BitcoindGate, { calls }: RpcRequest): readonly Call[] {
  return calls.filter((call) => {
    const transactions = transactionsOf(call);
    return transactions.length > 0 && !walletState.locks.contains(transactions.flatMap(inputsOf));
  });
}

/** Sends a broadcast to other bitcoinds, so that none of them misses the transaction when it is chosen later. */
function broadcastTo(backends: readonly Backend[], { method, params }: Call): void {
  const body = JSON.stringify({ jsonrpc: "1.0", id: "eclair-ami", method, params });
  for (const backend of backends)
    backend
      .pass("/", body, { fresh: false })
      .catch((error: unknown) =>
        logError("bitcoind.broadcast-failed", error, { bitcoind: backend.name, method }),
      );
}

/** A request and its answer; every bitcoind has received the independent broadcasts. */
type Passed = {
  readonly request: RpcRequest;
  readonly answer: RpcAnswer;
  readonly independent: readonly Call[];
};

/**
 * Follows what the calls have changed. A transaction that spends outputs that Eclair has locked, and that the chosen bitcoind has never
 * accepted, is sent to no other bitcoind, now or later: Eclair gives up the channel that it would have funded. A refusal of what
 * was accepted before changes nothing: bitcoind can have removed it from a full mempool.
 */
function noteResults(gate: BitcoindGate, backend: Backend, { request, answer, independent }: Passed): void {
  if (request.effect === "read") return;
  const { walletState } = gate;
  const results = succeeded(request, answer.body);
  for (const call of request.calls.filter((one) => transactionsOf(one).length > 0)) {
    if (!results.some((one) => one.call === call)) continue;
    walletState.broadcasts.add(call);
    if (!independent.includes(call)) broadcastTo(gate.others(backend), call);
  }
  try {
    for (const { call, result } of results) walletState.observe(call, result);
  } catch (error) {
    logError("bitcoind.answer-unknown", error);
  }
}

/** The calls that succeeded. bitcoind has executed none when its answer has another form, such as "Work queue depth exceeded". */
function succeeded(request: RpcRequest, body: string): ReturnType<typeof resultsOf> {
  try {
    return resultsOf(request, body).filter(({ call, result }) => isAccepted(call, result));
  } catch (error) {
    logError("bitcoind.answer-unknown", error);
    return [];
  }
}

/** The record of the calls that change the wallet: each is sent to one bitcoind, once. */
function noteChange(
  backend: Backend,
  request: RpcRequest,
  outcome: "answered" | "no answer" | "not sent",
): void {
  if (request.effect !== "change") return;
  const methods = request.calls.map(({ method }) => method);
  logEvent("bitcoind.change", { bitcoind: backend.name, methods, outcome });
}

const failure = (request: RpcRequest, message: string): RpcAnswer => ({
  status: request.isBatch ? ok : serverError,
  body: errorAnswer(request, message),
});
