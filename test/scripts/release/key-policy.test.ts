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

const accountOnly = { accounts: ["222222222222"], organizations: [], organizationalUnits: [] };
const consumer = { AWS: "arn:aws:iam::222222222222:root" };

test.each([
  ["a pattern of actions", { Action: "KMS:Create*", Principal: consumer }],
  [
    "a condition on the account",
    { Action: "kms:*", Principal: "*", Condition: { StringEquals: { "kms:CallerAccount": "222222222222" } } },
  ],
  [
    "a condition with a boolean",
    {
      Action: ["kms:CreateGrant"],
      Principal: consumer,
      Condition: { Bool: { "kms:GrantIsForAWSResource": true } },
    },
  ],
])("%s permits the account", (_, statement) => {
  const policy = { Statement: { Effect: "Allow", Resource: "*", ...statement } };
  expect(notPermitted(JSON.stringify(policy), accountOnly)).toEqual([]);
});

test.each([
  ["a statement that denies", { Effect: "Deny", Action: "kms:*", Principal: consumer }],
  ["a statement without a grant", { Effect: "Allow", Action: ["kms:Decrypt"], Principal: consumer }],
  [
    "a condition that excludes",
    {
      Effect: "Allow",
      Action: "kms:*",
      Principal: "*",
      Condition: { StringNotEquals: { "kms:CallerAccount": "222222222222" } },
    },
  ],
])("%s does not permit the account that it names", (_, statement) => {
  const policy = { Statement: [{ Resource: "*", ...statement }] };
  expect(notPermitted(JSON.stringify(policy), accountOnly)).toEqual(["222222222222"]);
});
