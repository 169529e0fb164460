import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { StackDocument } from "../../../infra/stack-document.ts";
import type { Target } from "../../target/target.ts";
import { targetOf, type TargetFlags } from "../target-flags.ts";

/** The target in the region of a document. */
export function stackTarget(flags: TargetFlags, { region }: Pick<StackDocument, "region">): Target {
  if (flags.region === undefined || flags.region === region) return targetOf({ ...flags, region });
  throw new EclairAmiError({
    code: "stack.document-invalid",
    operation: "choosing the region",
    message: `--region is ${flags.region}, and the document names ${region}`,
    remedy: "omit --region: the document decides",
    exitCode: 2,
  });
}
