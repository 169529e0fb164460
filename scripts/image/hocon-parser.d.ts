/** The part of @pushcorn/hocon-parser that this project uses; the package has no types. */
declare module "@pushcorn/hocon-parser" {
  const parser: {
    parse(options: { readonly text: string }): Promise<Record<string, Record<string, unknown> | undefined>>;
  };
  export default parser;
}
