import { expect, test } from "vitest";
import { imageKeyPolicy } from "../../../infra/policies/image-key.ts";
import { notPermitted } from "../../../scripts/release/document/key-policy.ts";

const organization = "arn:aws:organizations::111111111111:organization/o-abc";
const unit = "arn:aws:organizations::111111111111:ou/o-abc/ou-def";
const principals = {
  accounts: ["222222222222"],
  organizations: [organization],
  organizationalUnits: [unit],
};
const users = {
  accountId: "111111111111",
  consumers: ["222222222222"],
  organizations: ["o-abc"],
  organizationalUnits: ["o-abc/*/ou-def/*"],
};

test("the policy that the command prints permits every principal", () => {
  expect(notPermitted(JSON.stringify(imageKeyPolicy(users)), principals)).toEqual([]);
});

test.each([
  ["an account", { consumers: [] }, ["222222222222"]],
  ["an organization", { organizations: [] }, [organization]],
  ["an organizational unit", { organizations: ["o-other"], organizationalUnits: [] }, [organization, unit]],
])("%s that no statement names is not permitted", (_, change, missing) => {
  expect(notPermitted(JSON.stringify(imageKeyPolicy({ ...users, ...change })), principals)).toEqual(missing);
});

test("the units of a permitted organization are permitted", () => {
  const policy = imageKeyPolicy({ ...users, organizationalUnits: [] });
  expect(notPermitted(JSON.stringify(policy), principals)).toEqual([]);
});

test.each([
  ["a statement that denies", { Effect: "Deny", Action: "kms:*" }],
  ["a statement without a grant", { Effect: "Allow", Action: ["kms:Decrypt"] }],
])("%s does not permit the account that it names", (_, statement) => {
  const Statement = [{ ...statement, Principal: { AWS: "arn:aws:iam::222222222222:root" }, Resource: "*" }];
  const policy = JSON.stringify({ Version: "2012-10-17", Statement });
  expect(
    notPermitted(policy, { accounts: ["222222222222"], organizations: [], organizationalUnits: [] }),
  ).toEqual(["222222222222"]);
});
