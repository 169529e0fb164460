import { isUnreachable } from "../../../bootstrap/contract/record/errors.ts";

/**
 * Reads a state while an operation of hours is in progress: an interruption of the network is shorter than the operation.
 * @returns undefined when AWS cannot be reached
 */
export async function unlessUnreachable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}
