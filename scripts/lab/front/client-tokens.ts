import { ec2Error, type ApiResponse, type QueryCall } from "./query.ts";

/**
 * EC2's client tokens: a call that is repeated with its token returns the response of the first call and changes nothing.
 * A call that failed can be repeated. SDKs add a token to each call that accepts one, and repeat a call whose response was
 * lost. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export class ClientTokens {
  private readonly calls = new Map<
    string,
    { readonly parameters: string; readonly response: Promise<ApiResponse> }
  >();

  async once({ action, form, scope }: QueryCall, run: () => Promise<ApiResponse>): Promise<ApiResponse> {
    const token = form.get("ClientToken");
    if (token === null) return await run();
    const key = `${scope.accountId} ${scope.region} ${action} ${token}`;
    const parameters = form.toString();
    const earlier = this.calls.get(key);
    if (earlier !== undefined && earlier.parameters !== parameters)
      return ec2Error(
        "IdempotentParameterMismatch",
        `The client token '${token}' was used with other parameters`,
      );
    const response = earlier?.response ?? run();
    this.calls.set(key, { parameters, response });
    const succeeded = await response.then(
      ({ status }) => status === 200,
      () => false,
    );
    if (!succeeded && this.calls.get(key)?.response === response) this.calls.delete(key);
    return await response;
  }
}
