import type { SecretReference } from "./node.ts";

/** A reference with its defaults. */
export const referenceOf = (
  reference: SecretReference,
): { readonly id: string; readonly versionStage: string } =>
  typeof reference === "string" ? { id: reference, versionStage: "AWSCURRENT" } : reference;
