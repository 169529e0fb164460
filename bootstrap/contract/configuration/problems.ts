/** One problem of a document. `line` counts from 1. */
export type Problem = { readonly line: number; readonly path: string; readonly message: string };

/**
 * Problems as text, one per line.
 * @param file begins each line, when there is a file: `file:line: path message`
 */
export function describeProblems(problems: readonly Problem[], file?: string): string {
  const position = (line: number) => (file === undefined ? `line ${line}` : `${file}:${line}`);
  return problems
    .map(({ line, path, message }) => `${position(line)}: ${path === "" ? "" : `${path} `}${message}`)
    .join("\n");
}

/** A path of keys as text, such as `publicAddresses[1]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}
