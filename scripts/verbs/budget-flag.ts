/** The option of every command that checks how long the node may be away. */
export const ignoreBudgetText =
  "accept that channels are closed or money is lost, when the node may be away for too few blocks";

/** @param warning of `requireBudget` */
export function warnAbout(warning: string | undefined): void {
  if (warning !== undefined) console.error(`warning: ${warning}`);
}
