import type { Limits } from "../host/cgroup.ts";

const gibibyte = 1024 ** 3;

/** AWS' sizes of the burstable and general families that a lab is likely to be asked for. */
const memoryGibibytes: Readonly<Record<string, number>> = {
  nano: 0.5,
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
};

/** What a guest of an instance type may use. */
export function limitsOf(instanceType: string): Limits {
  const size = instanceType.split(".")[1] ?? "medium";
  return { memoryBytes: (memoryGibibytes[size] ?? 8) * gibibyte, cpus: 2, tasks: 4096 };
}
