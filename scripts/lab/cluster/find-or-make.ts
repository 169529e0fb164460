/** What a lookup finds, or else what is made: a run that was cut off can be run again. */
export async function findOrMake<T>(
  find: () => Promise<T | undefined>,
  make: () => Promise<T | undefined>,
): Promise<T> {
  const found = await find().catch((error: unknown) => {
    if (error instanceof Error && /NotFound|NoSuchEntity|ResourceNotFound/.test(error.name)) return undefined;
    throw error;
  });
  const result = found ?? (await make());
  if (result === undefined) throw new Error("the lab made nothing");
  return result;
}
