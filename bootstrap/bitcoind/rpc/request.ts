import { z } from "zod";
import { effectOf, type Effect } from "./calls.ts";

/** A call as Eclair sends it. bitcoind ignores other fields. */
const Call = z.looseObject({
  id: z.unknown(),
  method: z.string(),
  params: z.array(z.unknown()).optional(),
});
export type Call = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] };

/** The calls of one HTTP request. */
export type RpcRequest = {
  readonly calls: readonly Call[];
  /** Eclair sends an array, also for a single call, and expects an array. */
  readonly isBatch: boolean;
  /** The gravest effect of the calls. */
  readonly effect: Effect;
};

/** The calls that Eclair does not use: Eclair's user has no access to them. */
export class NotPermitted extends Error {}

const gravity: readonly Effect[] = ["read", "broadcast", "change"];

/**
 * @param body JSON
 * @throws NotPermitted, SyntaxError, z.ZodError
 */
export function parseRequest(body: string): RpcRequest {
  const json: unknown = JSON.parse(body);
  const isBatch = Array.isArray(json);
  const calls = z
    .array(Call)
    .min(1)
    .parse(isBatch ? json : [json])
    .map(({ id, method, params = [] }) => ({ id, method, params }));
  let effect: Effect = "read";
  for (const { method } of calls) {
    const found = effectOf(method);
    if (found === undefined) throw new NotPermitted(`Eclair does not use ${method}`);
    if (gravity.indexOf(found) > gravity.indexOf(effect)) effect = found;
  }
  return { calls, isBatch, effect };
}

/** The result of each call, in bitcoind's answer to a request. A call that failed has none. */
export function resultsOf(request: RpcRequest, body: string): readonly { call: Call; result: unknown }[] {
  const Answer = z.looseObject({ result: z.unknown(), error: z.unknown() });
  const json: unknown = JSON.parse(body);
  const answers = z.array(Answer).parse(request.isBatch ? json : [json]);
  return request.calls.flatMap((call, index) => {
    const answer = answers[index];
    return answer === undefined || (answer.error !== null && answer.error !== undefined)
      ? []
      : [{ call, result: answer.result }];
  });
}

/** bitcoind's RPC_MISC_ERROR. */
const miscError = -1;

/** The answer to a request that no bitcoind answered, in bitcoind's form. */
export function errorAnswer(request: RpcRequest, message: string): string {
  return answerBody(request, () => ({ result: null, error: { code: miscError, message } }));
}

/** The answer to a request whose calls succeeded, in bitcoind's form. */
export function resultAnswer(request: RpcRequest, resultOf: (method: string) => unknown): string {
  return answerBody(request, ({ method }) => ({ result: resultOf(method), error: null }));
}

function answerBody({ calls, isBatch }: RpcRequest, answerTo: (call: Call) => object): string {
  const answers = calls.map((call) => ({ ...answerTo(call), id: call.id }));
  return JSON.stringify(isBatch ? answers : answers[0]);
}
