import { isRead, queryError } from "../../front/query.ts";
import type { Interceptor } from "../../front/server.ts";

const version = "2014-10-31";

/**
 * The calls of RDS. A database runs, or no longer runs, when the call returns.
 * @param rotateMasterPassword for an instance
 */
export function rdsCalls(
  reconcile: () => Promise<void>,
  rotateMasterPassword: (identifier: string) => Promise<void>,
): Interceptor {
  return async (call, forward) => {
    const { action, form } = call;
    if (form.get("Version") !== version) return undefined;
    if (action === "CreateDBInstance" && form.get("ManageMasterUserPassword") !== "true")
      return queryError(
        "InvalidParameterCombination",
        "The lab supports only managed master passwords: set ManageMasterUserPassword",
      );
    const response = await forward();
    if (response.status === 200 && !isRead(call)) await reconcile();
    if (response.status === 200 && form.get("RotateMasterUserPassword") === "true")
      await rotateMasterPassword(form.get("DBInstanceIdentifier") ?? "");
    return response;
  };
}
