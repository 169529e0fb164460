import {
  isAlias,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type ErrorCode,
} from "yaml";
import { pathText, type Problem } from "./problems.ts";

export type ParsedYaml = {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** The content; undefined when there are problems. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
};

/** JSON and JavaScript keep this many digits of every decimal fraction (IEEE 754, double precision). */
const exactDigits = 15;

/**
 * Parses YAML 1.2, of which JSON is a part, without what an author may mean otherwise than YAML does: tags, aliases, a second
 * document, and numbers that are rounded.
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const problems: Problem[] = [];
  const add = (offset: number, message: string, path = "") =>
    problems.push({ line: lines.linePos(offset).line, path, message });
  // The parser's own messages about its own functions are not for the author of a document.
  for (const { code, message, pos } of document.errors) add(pos[0], explain(code, message));
  if (document.errors.length === 0) {
    for (const problem of unusualParts(document)) add(problem.offset, problem.message, problem.path);
    const known = new Set(problems.map(({ line }) => line));
    for (const { code, message, pos } of document.warnings)
      if (!known.has(lines.linePos(pos[0]).line)) add(pos[0], explain(code, message));
  }
  const value = problems.length === 0 ? (document.toJS({ maxAliasCount: 0 }) as unknown) : undefined;
  return { document, lines, value, problems };
}

type Part = { readonly offset: number; readonly path: string; readonly message: string };

function unusualParts(document: Document.Parsed): Part[] {
  const parts: Part[] = [];
  const { explicit = false, version } = document.directives.yaml;
  if (explicit && version !== "1.2")
    parts.push({
      offset: 0,
      path: "",
      message: `the directive %YAML ${version} changes the meaning of values: remove it`,
    });
  visit(document, (key, node, ancestors) => {
    if (!isNode(node)) return;
    const offset = node.range?.[0] ?? 0;
    const path = pathOf(ancestors, key === "value" ? undefined : key);
    // One alias can expand to a thousand others, and no document needs an alias.
    if (isAlias(node)) parts.push({ offset, path, message: "is an alias (`*name`), which is not allowed" });
    if (!isAlias(node) && node.tag !== undefined)
      parts.push({
        offset,
        path,
        message: `has the YAML tag \`${shortTag(node.tag)}\`, which is not allowed: write the value itself`,
      });
    if (isScalar(node) && typeof node.value === "number") {
      const problem = numberProblem(node.value, node.source ?? String(node.value));
      if (problem !== undefined) parts.push({ offset, path, message: problem });
    }
  });
  return parts;
}

const shortTag = (tag: string) => tag.replace(/^tag:yaml\.org,2002:/, "!!");

/** The keys above a node, such as `eclair.settings.router`. */
function pathOf(ancestors: readonly unknown[], index: unknown): string {
  const keys: PropertyKey[] = ancestors.flatMap((ancestor) => {
    if (!isPair(ancestor) || !isScalar(ancestor.key)) return [];
    const { value } = ancestor.key;
    return typeof value === "string" ? [value] : [];
  });
  if (typeof index === "number" && keys.length > 0) keys.push(index);
  return pathText(keys);
}

function numberProblem(value: number, source: string): string | undefined {
  if (!Number.isFinite(value)) return `is ${source}, which is not a finite number`;
  const digits = (/^[-+]?([\d.]*)/.exec(source)?.[1] ?? "").replace(/^[0.]+/, "").replace(".", "");
  const isExact = Number.isInteger(value)
    ? Number.isSafeInteger(value)
    : digits.replace(/0+$/, "").length <= exactDigits;
  return isExact
    ? undefined
    : `is ${source}, which would be rounded to ${value}: write the number as a text in quotes`;
}

/** What the codes of the parser mean for the author of a document. */
const explanations: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "aliases (`*name`) are not allowed",
  ALIAS_PROPS: "aliases (`*name`) are not allowed",
  MULTIPLE_ANCHORS: "anchors (`&name`) are not allowed",
  BAD_DIRECTIVE: "has a directive (`%…`) that is not correct YAML",
  BAD_DQ_ESCAPE: "has an escape sequence that double quotes do not permit: write `\\\\` for a backslash",
  BAD_INDENT: "has a wrong indentation",
  BAD_SCALAR_START: "begins with a character that needs quotes around the value",
  BLOCK_AS_IMPLICIT_KEY: "has two keys in one line, or a text with `: ` that needs quotes",
  BLOCK_IN_FLOW: "has an indented block inside `{}` or `[]`",
  DUPLICATE_KEY: "has a key that its mapping contains already",
  MISSING_CHAR: "lacks a closing quote, brace or bracket, or the colon after a key",
  MULTILINE_IMPLICIT_KEY: "has a key of more than one line: check the indentation and the colon",
  MULTIPLE_DOCS: "begins a second document (`---`): write each document into its own file",
  MULTIPLE_TAGS: "has YAML tags (`!name`), which are not allowed",
  TAG_RESOLVE_FAILED: "has a YAML tag (`!name`), which is not allowed",
  TAB_AS_INDENT: "is indented with a tab: use spaces",
  UNEXPECTED_TOKEN: "has a character that YAML does not expect here",
};

function explain(code: ErrorCode, message: string): string {
  // A tab in an indentation has other codes as well.
  if (/tab/i.test(message)) return explanations.TAB_AS_INDENT ?? "";
  return explanations[code] ?? `is not correct YAML (${code})`;
}
