import { z } from "zod";
import { EclairAmiError } from "../errors.ts";
import type { EclairValue } from "./settings.ts";
import { nearest } from "../configuration/nearest.ts";

/** The settings of one Eclair: names below `eclair.` and defaults, from the reference.conf in its jar. */
export const EclairReference = z.strictObject({
  formatVersion: z.literal(1),
  /** The version of Eclair. */
  eclair: z.string(),
  /** False for the stand-in, whose reference.conf has only the settings that the stand-in reads. */
  complete: z.boolean(),
  defaults: z.record(z.string(), z.unknown()),
});
export type EclairReference = z.infer<typeof EclairReference>;

type Settings = Readonly<Record<string, EclairValue>>;
type SettingProblem = { readonly setting: string; readonly message: string };

/** Below these names, the reference.conf has an example only. */
const freeNames = ["router.path-finding.experiments."];

/** Settings that Eclair does not have, which it ignores, and values whose type it refuses. */
export function settingProblems(settings: Settings, reference: EclairReference): SettingProblem[] {
  return Object.entries(settings).flatMap(([setting, value]) => problemsOf(setting, value, reference));
}

/** @throws EclairAmiError `configuration.invalid` with one line for each setting */
export function requireKnownSettings(settings: Settings, reference: EclairReference, file?: string): void {
  const problems = settingProblems(settings, reference);
  if (problems.length === 0) return;
  throw new EclairAmiError({
    code: "configuration.invalid",
    operation: `checking the settings of Eclair in ${file ?? "the user-data"}`,
    message: problems.map(({ setting, message }) => `eclair.settings.${setting} ${message}`).join("\n"),
    remedy:
      "correct each setting that the message names. `eclair-ami config check --image IMAGE FILE` reports the same problems",
    ...(file !== undefined && { exitCode: 2 }),
  });
}

function problemsOf(setting: string, value: EclairValue, reference: EclairReference): SettingProblem[] {
  const { defaults, complete, eclair } = reference;
  if (freeNames.some((prefix) => setting.startsWith(prefix))) return [];
  if (Object.hasOwn(defaults, setting)) {
    const expected = typeProblem(setting, value, defaults[setting]);
    return expected === undefined ? [] : [{ setting, message: expected }];
  }
  const names = Object.keys(defaults);
  const isGroup = names.some((name) => name.startsWith(`${setting}.`));
  if (isGroup && isMapping(value))
    return Object.entries(value).flatMap(([key, inner]) => problemsOf(`${setting}.${key}`, inner, reference));
  if (isGroup) return [{ setting, message: "is a group of settings, and must be a mapping" }];
  if (!complete) return [];
  return [
    {
      setting,
      message: `is not a setting of Eclair ${eclair}, which would ignore it${nearest(setting, names)}`,
    },
  ];
}

const isMapping = (value: EclairValue): value is { readonly [name: string]: EclairValue } =>
  typeof value === "object" && !Array.isArray(value);

const number = /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i;
/** https://github.com/lightbend/config/blob/main/HOCON.md#duration-format */
const duration =
  /^\d+(\.\d+)?\s*(ns|nanos?|nanoseconds?|us|micros?|microseconds?|ms|millis?|milliseconds?|s|seconds?|m|minutes?|h|hours?|d|days?)?$/;
const durationUnit = /^\d+(\.\d+)?\s*[a-z]+$/;
const booleans = ["true", "false", "yes", "no", "on", "off"];
const supports = ["disabled", "optional", "mandatory"];

/** What a value must be, by the default of its setting; undefined when Eclair can read the value. */
function typeProblem(setting: string, value: EclairValue, standard: unknown): string | undefined {
  const text = typeof value === "object" ? undefined : String(value);
  if (Array.isArray(standard)) return Array.isArray(value) ? undefined : "must be a list";
  if (text === undefined) return `must be a single value, such as ${JSON.stringify(standard)}`;
  if (setting.startsWith("features."))
    return supports.includes(text) ? undefined : `must be one of ${supports.join(", ")}`;
  if (typeof standard === "number")
    return number.test(text) ? undefined : `must be a number, such as ${standard}`;
  if (typeof standard === "boolean") return booleans.includes(text) ? undefined : "must be true or false";
  if (typeof standard === "string" && durationUnit.test(standard))
    return duration.test(text) ? undefined : `must be a duration, such as "${standard}"`;
  return undefined;
}
