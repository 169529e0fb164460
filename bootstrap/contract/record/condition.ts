import { ConditionalCheckFailedException, TransactionCanceledException } from "@aws-sdk/client-dynamodb";

/** Whether the condition of a write was met. */
export async function conditionMet(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    if (error instanceof TransactionCanceledException)
      if (error.CancellationReasons?.some(({ Code }) => Code === "ConditionalCheckFailed")) return false;
    throw error;
  }
}
