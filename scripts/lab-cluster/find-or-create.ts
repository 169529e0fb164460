/** Returns an existing resource, or creates it. A command that was interrupted can thus run again. */
export async function findOrCreate<T>(
  find: () => Promise<T | undefined>,
  create: () => Promise<T | undefined>,
): Promise<T> {
  const existing = await find().catch((error: unknown) => {
    if (error instanceof Error && /NotFound|NoSuchEntity|ResourceNotFound/.test(error.name)) return undefined;
    throw error;
  });
  const resource = existing ?? (await create());
  if (resource === undefined) throw new Error("the lab created no resource");
  return resource;
}
