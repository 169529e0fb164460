import type { EC2Client } from "@aws-sdk/client-ec2";
import type { Target } from "./target.ts";

/** The number of API calls by service, such as `ec2`. Repeated attempts count. */
export type CallCounts = ReadonlyMap<string, number>;

/** The same target, whose clients count their calls. */
export function withCallCounts(target: Target): { readonly target: Target; readonly counts: CallCounts } {
  const counts = new Map<string, number>();
  const counted = new WeakSet<object>();
  const client: Target["client"] = (service, scope) => {
    const created = target.client(service, scope);
    const { middlewareStack, config } = created as Pick<EC2Client, "middlewareStack"> & {
      config: { serviceId: string };
    };
    if (counted.has(middlewareStack)) return created;
    counted.add(middlewareStack);
    const name = config.serviceId.toLowerCase().replaceAll(" ", "-");
    middlewareStack.add(
      (next) => async (call) => {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        return await next(call);
      },
      { step: "deserialize", name: "countCalls" },
    );
    return created;
  };
  return { target: { ...target, client }, counts };
}
