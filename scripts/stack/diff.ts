import type { StackDocument } from "../../infra/stack-document.ts";
import { synthesize } from "../../infra/synthesize.ts";
import type { Target } from "../target/target.ts";
import { createChangeSet, discardChangeSet, type ChangeSet } from "./cloudformation/change-set.ts";
import { runningOf } from "./group/running.ts";

/**
 * The change sets that a deployment would execute, without those of stacks that need the outputs of a stack that does not exist
 * yet. Nothing remains of them.
 */
export async function diff(
  target: Target,
  document: StackDocument,
): Promise<{ readonly changeSets: readonly ChangeSet[]; readonly unknown: readonly string[] }> {
  const running = await runningOf(target, document, undefined);
  const changeSets: ChangeSet[] = [];
  const unknown: string[] = [];
  for (const template of synthesize(document, running)) {
    const changeSet = await createChangeSet(target, template).catch((error: unknown) => {
      if (error instanceof Error && /No export named/.test(error.message)) return "unknown" as const;
      throw error;
    });
    if (changeSet === "unknown") unknown.push(template.stackName);
    else if (changeSet !== undefined) {
      changeSets.push(changeSet);
      await discardChangeSet(target, changeSet);
    }
  }
  return { changeSets, unknown };
}
