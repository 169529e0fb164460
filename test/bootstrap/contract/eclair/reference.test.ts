import { expect, test } from "vitest";
import {
  requireKnownSettings,
  settingProblems,
  type EclairReference,
} from "../../../../bootstrap/contract/eclair/reference.ts";

const reference: EclairReference = {
  formatVersion: 1,
  eclair: "0.13.0",
  complete: true,
  defaults: {
    "channel.min-depth-blocks": 8,
    "channel.max-htlc-value-in-flight-msat": 5_000_000_000,
    "channel.funding.timeout": "60 seconds",
    "features.keysend": "disabled",
    "auto-reconnect": true,
    "override-init-features": [],
    "on-chain-fees.confirmation-priority.closing": "medium",
    "relay.fees.public-channels.fee-base-msat": 1000,
  },
};

test.each([
  ["channel.min-depth-blocks", 6],
  ["channel.max-htlc-value-in-flight-msat", "18446744073709551615"],
  ["channel.funding.timeout", "90 seconds"],
  ["channel.funding.timeout", "2m"],
  ["channel.funding.timeout", 5000],
  ["features.keysend", "optional"],
  ["auto-reconnect", false],
  ["auto-reconnect", "off"],
  ["override-init-features", [{ nodeid: "02aa", features: { keysend: "optional" } }]],
  ["on-chain-fees.confirmation-priority.closing", "fast"],
  ["relay", { fees: { "public-channels": { "fee-base-msat": 1 } } }],
  ["router.path-finding.experiments.mine.percentage", 10],
])("accepts %s = %j", (setting, value) => {
  expect(settingProblems({ [setting]: value }, reference)).toEqual([]);
});

test.each([
  [
    "channel.mindepth-blocks",
    6,
    /not a setting of Eclair 0\.13\.0.*did you mean `channel\.min-depth-blocks`/,
  ],
  [
    "relay.fees.public-channels.fee-base-mast",
    1,
    /did you mean `relay\.fees\.public-channels\.fee-base-msat`/,
  ],
  ["relay", { fees: { nonsense: 1 } }, /not a setting/],
  ["relay.fees", 5, /is a group of settings/],
  ["channel.min-depth-blocks", "many", /must be a number, such as 8/],
  ["channel.min-depth-blocks", [1], /must be a single value/],
  ["channel.funding.timeout", "soon", /must be a duration, such as "60 seconds"/],
  ["features.keysend", "yes", /must be one of disabled, optional, mandatory/],
  ["auto-reconnect", "perhaps", /must be true or false/],
  ["override-init-features", "all", /must be a list/],
])("refuses %s = %j", (setting, value, message) => {
  const [problem] = settingProblems({ [setting]: value }, reference);
  expect(problem?.message).toMatch(message);
  expect(() => requireKnownSettings({ [setting]: value }, reference)).toThrow(/^eclair\.settings\./);
});

test("a reference that is not complete says nothing about other settings", () => {
  expect(settingProblems({ "router.unknown": 1 }, { ...reference, complete: false })).toEqual([]);
});
