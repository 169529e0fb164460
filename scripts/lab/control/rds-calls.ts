import { isRead, queryError } from "../front/query.ts";
import type { Intercept } from "../front/server.ts";

const version = "2014-10-31";

/** RDS: a database runs, or no longer runs, when the call answers. */
export function rdsCalls(changed: () => Promise<void>): Intercept {
  return async (call, passOn) => {
    const { action, form } = call;
    if (form.get("Version") !== version) return undefined;
    if (action === "CreateDBInstance" && form.get("ManageMasterUserPassword") !== "true")
      return queryError(
        "InvalidParameterCombination",
        "The lab's databases have their master password managed: set ManageMasterUserPassword",
      );
    const answer = await passOn();
    if (answer.status === 200 && !isRead(call)) await changed();
    return answer;
  };
}
