import type { Limits } from "../host/cgroup.ts";

const gibibyte = 1024 ** 3;

/** The memory of AWS' burstable and general-purpose instance types, by size. */
const memoryGibibytes: Readonly<Record<string, number>> = {
  nano: 0.5,
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
};

/** The resource limits of a guest. */
export function limitsOf(instanceType: string): Limits {
  const size = instanceType.split(".")[1] ?? "medium";
  return { memoryBytes: (memoryGibibytes[size] ?? 8) * gibibyte, cpus: 2, tasks: 4096 };
}
