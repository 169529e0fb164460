import type { z } from "zod";

const types: Readonly<Record<string, string>> = {
  ...{ string: "a text", number: "a number", int: "a whole number", boolean: "true or false" },
  ...{ array: "a list", object: "a mapping", record: "a mapping", null: "nothing" },
};
const formats: Readonly<Record<string, string>> = {
  ...{
    ipv4: "an IPv4 address",
    ipv6: "an IPv6 address",
    cidrv4: "an IPv4 network",
    cidrv6: "an IPv6 network",
  },
  ...{ url: "a URL", email: "an e-mail address", datetime: "a time in ISO 8601", date: "a date in ISO 8601" },
};
/** What is counted when a value is too small or too big. */
const units: Readonly<Record<string, string>> = { string: " characters", array: " entries", set: " entries" };

/**
 * The message of an issue for which a schema has no message of its own, in place of zod's. Pass it as `error` of a parse.
 * @returns undefined for an issue whose message comes from the schema
 */
export function plainMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "is missing"
        : `must be ${types[issue.expected] ?? issue.expected}, and is ${nameOf(issue.input)}`;
    case "too_small":
      return atLeast(issue);
    case "too_big":
      return atMost(issue);
    case "invalid_format":
      return issue.format === "regex"
        ? `must match the pattern ${issue.pattern}`
        : `must be ${formats[issue.format] ?? `a text in the format ${issue.format}`}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return `has keys that are not known: ${issue.keys.join(", ")}`;
    case "invalid_value":
      return mustBeOneOf(issue.values);
    case "invalid_union":
    case "invalid_element":
    case "invalid_key":
      return "has an invalid value";
    default:
      return undefined;
  }
}

/** The message about a value that is none of the permitted values. */
export const mustBeOneOf = (values: readonly unknown[]): string =>
  `must be ${values.length > 1 ? "one of " : ""}${values.map(String).join(", ")}`;

const atLeast = ({ origin, minimum, inclusive = true }: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall>) =>
  origin in units
    ? `must have at least ${minimum}${units[origin]}`
    : `must be ${inclusive ? "at least" : "greater than"} ${minimum}`;

const atMost = ({ origin, maximum, inclusive = true }: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>) =>
  origin in units
    ? `must have at most ${maximum}${units[origin]}`
    : `must be ${inclusive ? "at most" : "less than"} ${maximum}`;

function nameOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  return types[typeof value] ?? typeof value;
}
