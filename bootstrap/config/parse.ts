import leven from "leven";
import { LineCounter, isNode, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { ClusterSetup } from "./cluster-setup.ts";
import { ImageTest } from "./image-test.ts";
import { NodeConfiguration } from "./node.ts";

/** What a document of this project can ask for. */
const kinds = { Node: NodeConfiguration, ClusterSetup, ImageTest } as const;

export type Configuration = NodeConfiguration | ClusterSetup | ImageTest;

/** One thing that is wrong with a document; `line` counts from 1. */
export type Problem = { readonly line: number; readonly path: string; readonly message: string };

export type Parsed =
  | { readonly configuration: Configuration; readonly problems?: undefined }
  | { readonly configuration?: undefined; readonly problems: readonly Problem[] };

/** Reads a document strictly; everything that is wrong with it is told at once. */
export function parseConfiguration(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) => ({
        line: lines.linePos(error.pos[0]).line,
        path: "",
        message: error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? error.code,
      })),
    };

  let value: unknown;
  try {
    // An alias could stand for a thousand others: none is needed here.
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    return { problems: [{ line: 1, path: "", message: "aliases (`*name`) are not allowed" }] };
  }
  const where = (path: readonly PropertyKey[]) => lineOf(document, lines, path);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return {
      problems: [{ line: 1, path: "", message: "must be a YAML mapping that begins with apiVersion" }],
    };

  const kind = "kind" in value ? value.kind : undefined;
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind)) {
    const found = Object.keys(value).find((key) => key.toLowerCase() === "kind" && key !== "kind");
    const message =
      kind !== undefined
        ? `must be one of ${Object.keys(kinds).join(", ")}${nearest(JSON.stringify(kind), Object.keys(kinds))}`
        : `is missing${found === undefined ? "" : `; did you mean it by \`${found}\`?`}`;
    return { problems: [{ line: where(found === undefined ? ["kind"] : [found]), path: "kind", message }] };
  }
  const schema = kinds[kind as keyof typeof kinds];
  const result = schema.safeParse(value);
  if (result.success) return { configuration: result.data };
  const problems = result.error.issues.flatMap((issue) => explain(issue, [], schema, value));
  return {
    problems: problems
      .map(({ path, message }) => ({ line: where(path), path: pathText(path), message }))
      .toSorted((a, b) => a.line - b.line),
  };
}

/** Problems as a person reads them, one a line. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ line, path, message }) => `line ${line}: ${path === "" ? "" : `${path} `}${message}`)
    .join("\n");
}

type Found = { readonly path: readonly PropertyKey[]; readonly message: string };

function explain(
  issue: z.core.$ZodIssue,
  above: readonly PropertyKey[],
  schema: z.core.$ZodType,
  value: unknown,
): Found[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `is no setting${nearest(key, known)}`,
    }));
  }
  if (issue.code === "invalid_union") {
    // The alternative that comes nearest is the one that fails deepest inside, or else the first.
    const alternatives = issue.errors.map((errors) =>
      errors.flatMap((error) => explain(error, path, schema, value)),
    );
    const deepest = alternatives.toSorted((a, b) => depth(b) - depth(a))[0];
    return deepest ?? [{ path, message: "has a wrong value" }];
  }
  const here = at(value, path);
  if (issue.code === "invalid_type" && here === undefined) return [{ path, message: "is missing" }];
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    return [
      {
        path,
        message: `must be ${values.length > 1 ? "one of " : ""}${values.join(", ")}${nearest(String(here), values)}`,
      },
    ];
  }
  return [{ path, message: issue.message }];
}

const depth = (found: readonly Found[]) => Math.max(0, ...found.map((item) => item.path.length));

/** ` (did you mean …?)` when something known is close, upper and lower case set aside. */
function nearest(word: string, known: readonly string[]): string {
  const distance = (candidate: string) => leven(word.toLowerCase(), candidate.toLowerCase());
  const best = known.toSorted((a, b) => distance(a) - distance(b))[0];
  if (best === undefined || distance(best) > Math.max(2, word.length / 3)) return "";
  return ` (did you mean \`${best}\`?)`;
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const def = (schema as z.ZodType).def as SchemaDefinition;
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  if (def.options !== undefined) return def.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const next = typeof first === "string" ? def.shape?.[first] : def.element;
  return next === undefined ? [] : keysAt(next, rest);
}

type SchemaDefinition = {
  readonly innerType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
};

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === "object" && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** The line of the deepest part of a path that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const items = (parent as { items?: readonly unknown[] } | undefined)?.items ?? [];
    for (const [index, item] of items.entries()) {
      const pair = item as { key?: unknown };
      const start =
        isNode(pair.key) && String(pair.key) === key
          ? pair.key.range?.[0]
          : index === key && isNode(item)
            ? item.range?.[0]
            : undefined;
      if (start !== undefined) return lines.linePos(start).line;
    }
  }
  return 1;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}
