import { expect, test } from "vitest";
import { keptCredentials } from "../../../../scripts/lab/imds/role-credentials.ts";

test("the credentials of an instance stay the same until they expire soon", async () => {
  let time = 0;
  let assumed = 0;
  const credentialsOf = keptCredentials(
    (role, instance) => {
      assumed += 1;
      const accessKeyId = `${role} ${instance} ${assumed}`;
      const expiration = new Date(time + 3_600_000).toISOString();
      return Promise.resolve({ accessKeyId, secretAccessKey: "s", token: "t", expiration });
    },
    () => time,
  );
  const keyAt = async (minutes: number, instance: string) => {
    time = minutes * 60_000;
    return (await credentialsOf("node", instance)).accessKeyId;
  };
  expect(await keyAt(0, "i-1")).toBe("node i-1 1");
  expect(await keyAt(49, "i-1")).toBe("node i-1 1");
  expect(await keyAt(49, "i-2")).toBe("node i-2 2");
  expect(await keyAt(51, "i-1")).toBe("node i-1 3");
});
