import { isRead, queryError } from "../../front/query.ts";
import { postgresMajorVersion } from "../../rds/postgres-tree.ts";
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
    const engineVersion = form.get("EngineVersion");
    if (action === "CreateDBInstance" && engineVersion !== null && !isRunnable(engineVersion))
      return queryError("InvalidParameterCombination", `Cannot find version ${engineVersion} for postgres`);
    const response = await forward();
    if (response.status === 200 && !isRead(call)) await reconcile();
    if (response.status === 200 && form.get("RotateMasterUserPassword") === "true")
      await rotateMasterPassword(form.get("DBInstanceIdentifier") ?? "");
    return response;
  };
}

/** Whether the lab has this version of PostgreSQL: `17` or a minor version such as `17.6`. */
const isRunnable = (engineVersion: string): boolean => engineVersion.split(".")[0] === postgresMajorVersion;
