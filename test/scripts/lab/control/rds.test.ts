import { expect, test, vi } from "vitest";
import { rdsCalls } from "../../../../scripts/lab/control/calls/rds.ts";
import type { ApiResponse, QueryCall } from "../../../../scripts/lab/front/query.ts";

/** The answer of the lab to CreateDBInstance. */
async function create(engineVersion: string | undefined) {
  const forward = vi.fn<() => Promise<ApiResponse>>(() => Promise.resolve({ status: 200, body: "created" }));
  const reconcile = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const intercept = rdsCalls(reconcile, () => Promise.resolve());
  const form = new URLSearchParams({ Version: "2014-10-31", ManageMasterUserPassword: "true" });
  if (engineVersion !== undefined) form.set("EngineVersion", engineVersion);
  const answer = await intercept({ action: "CreateDBInstance", form } as QueryCall, forward);
  return { answer, forward, reconcile };
}

test.each([undefined, "17", "17.6"])("a database with the engine version %s is created", async (version) => {
  const { answer, reconcile } = await create(version);
  expect(answer).toMatchObject({ status: 200 });
  expect(reconcile).toHaveBeenCalledTimes(1);
});

test.each(["15", "16.9", "170"])("the lab has no PostgreSQL %s", async (version) => {
  const { answer, forward } = await create(version);
  expect(answer).toMatchObject({ status: 400 });
  expect(answer?.body).toContain(`Cannot find version ${version} for postgres`);
  expect(forward).not.toHaveBeenCalled();
});
