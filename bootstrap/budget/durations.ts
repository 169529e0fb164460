/** Seconds of the units of HOCON. https://github.com/lightbend/config/blob/main/HOCON.md#duration-format */
const units: readonly (readonly [unit: RegExp, seconds: number])[] = [
  [/^(ns|nano(second)?s?)$/, 1e-9],
  [/^(us|micro(second)?s?)$/, 1e-6],
  [/^(ms|milli(second)?s?)?$/, 1e-3],
  [/^(s|seconds?)$/, 1],
  [/^(m|minutes?)$/, 60],
  [/^(h|hours?)$/, 3600],
  [/^(d|days?)$/, 86_400],
];

/**
 * A duration of Eclair's configuration in seconds. A number without a unit is in milliseconds.
 * @throws Error for a value that is no duration
 */
export function secondsOf(value: unknown): number {
  const [, number, name = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(String(value)) ?? [];
  const unit = units.find(([pattern]) => pattern.test(name));
  if (number === undefined || unit === undefined) throw new Error(`${String(value)} is not a duration`);
  return Number(number) * unit[1];
}
