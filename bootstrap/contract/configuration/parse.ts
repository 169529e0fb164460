import { isNode, type Document, type LineCounter } from "yaml";
import { z } from "zod";
import { ChainVerification } from "../chain/verification.ts";
import { ClusterSetup } from "./cluster-setup.ts";
import { ImageTest } from "./image-test.ts";
import { mustBeOneOf, plainMessage } from "../plain-messages.ts";
import { nearest } from "./nearest.ts";
import { NodeConfiguration } from "./node.ts";
import { renamedKey, renamedValue } from "./renamed.ts";
import { pathText, type Problem } from "./problems.ts";
import { parseYaml } from "./yaml.ts";

/** The kinds of documents of this project. */
const kinds = { Node: NodeConfiguration, ClusterSetup, ImageTest, ChainVerification } as const;

export type Configuration = NodeConfiguration | ClusterSetup | ImageTest | ChainVerification;

export type Parsed =
  | { readonly configuration: Configuration; readonly problems?: undefined }
  | { readonly configuration?: undefined; readonly problems: readonly Problem[] };

/** Parses a document of an instance or of a cluster. */
export const parseConfiguration = (text: string): Parsed => parseDocument(text, kinds);

type Schemas = Readonly<Record<string, z.ZodType>>;
type ParsedAs<S extends Schemas> =
  | { readonly configuration: z.output<S[keyof S]>; readonly problems?: undefined }
  | { readonly configuration?: undefined; readonly problems: readonly Problem[] };

/** Parses a document of one of these kinds strictly, and reports all its problems at once. */
export function parseDocument<S extends Schemas>(text: string, schemas: S): ParsedAs<S> {
  const { document, lines, value, problems: yamlProblems } = parseYaml(text);
  if (yamlProblems.length > 0) return { problems: yamlProblems };
  const lineAt = (path: readonly PropertyKey[]) => lineOf(document, lines, path);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return {
      problems: [{ line: 1, path: "", message: "must be a YAML mapping that begins with apiVersion" }],
    };

  const kind = "kind" in value ? value.kind : undefined;
  const schema = typeof kind === "string" && Object.hasOwn(schemas, kind) ? schemas[kind] : undefined;
  if (typeof kind !== "string" || schema === undefined) {
    const known = Object.keys(schemas);
    const miscased = Object.keys(value).find((key) => key.toLowerCase() === "kind" && key !== "kind");
    const message =
      kind !== undefined
        ? `${mustBeOneOf(known)}${nearest(JSON.stringify(kind), known)}`
        : `is missing${miscased === undefined ? "" : ` (\`${miscased}\` must be written \`kind\`)`}`;
    return {
      problems: [{ line: lineAt(miscased === undefined ? ["kind"] : [miscased]), path: "kind", message }],
    };
  }
  const result = schema.safeParse(value, { error: plainMessage });
  if (result.success) return { configuration: result.data as z.output<S[keyof S]> };
  const problems = result.error.issues.flatMap((issue) => explain(issue, [], schema, value, kind));
  return {
    problems: problems
      .map(({ path, message }) => ({ line: lineAt(path), path: pathText(path), message }))
      .toSorted((a, b) => a.line - b.line),
  };
}

type PathProblem = { readonly path: readonly PropertyKey[]; readonly message: string };

function explain(
  issue: z.core.$ZodIssue,
  above: readonly PropertyKey[],
  schema: z.core.$ZodType,
  value: unknown,
  kind: string,
): PathProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const renamed = renamedKey(kind, [...path, key]);
      const hint = renamed === undefined ? nearest(key, known) : `: it is now called \`${renamed}\``;
      return { path: [...path, key], message: `is not a known key${hint}` };
    });
  }
  if (issue.code === "invalid_union") {
    // Report the alternative that matches the value best: its first problem is at the deepest path.
    const alternatives = issue.errors.map((errors) =>
      errors.flatMap((error) => explain(error, path, schema, value, kind)),
    );
    const deepest = alternatives.toSorted((a, b) => depth(b) - depth(a))[0];
    return deepest ?? [{ path, message: "has an invalid value" }];
  }
  const actual = valueAt(value, path);
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const renamed = renamedValue(kind, path, String(actual));
    const hint =
      renamed === undefined ? nearest(String(actual), values) : `: it is now called \`${renamed}\``;
    return [{ path, message: `${mustBeOneOf(values)}${hint}` }];
  }
  return [{ path, message: issue.message }];
}

const depth = (problems: readonly PathProblem[]) => Math.max(0, ...problems.map(({ path }) => path.length));

/** The known keys of a schema at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const def = (schema as z.ZodType).def as SchemaDefinition;
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  if (def.valueType !== undefined && path.length > 0) return keysAt(def.valueType, path.slice(1));
  if (def.options !== undefined) return def.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const next = typeof first === "string" ? def.shape?.[first] : def.element;
  return next === undefined ? [] : keysAt(next, rest);
}

type SchemaDefinition = {
  readonly innerType?: z.core.$ZodType;
  /** Of a record. */
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
};

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (parent, key) =>
      typeof parent === "object" && parent !== null
        ? (parent as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** The line of the deepest part of a path that exists. */
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
