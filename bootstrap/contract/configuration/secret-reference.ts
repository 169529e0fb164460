import type { SecretReference } from "./node.ts";

/** The stage of the version that every party uses. */
export const currentStage = "AWSCURRENT";
/** The stage of the version that a rotation prepares and tests. */
export const pendingStage = "AWSPENDING";

/** @param stages the stages of each version, by its id, as DescribeSecret returns them */
export const versionWithStage = (
  stages: Readonly<Record<string, readonly string[]>>,
  stage: string,
): string | undefined => Object.keys(stages).find((id) => stages[id]?.includes(stage));

/** A reference with its defaults. */
export const referenceOf = (
  reference: SecretReference,
): { readonly id: string; readonly versionStage: string } =>
  typeof reference === "string" ? { id: reference, versionStage: currentStage } : reference;
