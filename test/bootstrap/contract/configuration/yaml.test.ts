import { expect, test } from "vitest";
import { parseYaml } from "../../../../bootstrap/contract/configuration/yaml.ts";

const problemsOf = (text: string) =>
  parseYaml(text).problems.map(({ line, path, message }) => `${line}: ${path} ${message}`);

test.each([
  ["a tag of a template", "a: 1\nb:\n  c: !Ref Seeds\n", /^2?3: b\.c has the YAML tag `!Ref`/],
  ["a tag on a mapping", "a: !Sub { b: 1 }\n", /^1: a has the YAML tag `!Sub`/],
  ["a tag of YAML itself", "a: !!str 5\n", /^1: a has the YAML tag `!!str`/],
  [
    "an integer that JavaScript rounds",
    "a: 18446744073709551615\n",
    /^1: a is 18446744073709551615, which would be rounded .* quotes/,
  ],
  ["an integer just too large", "a: 9007199254740993\n", /^1: a is 9007199254740993/],
  [
    "a negative integer in a list",
    "a:\n  - 1\n  - -99999999999999999999\n",
    /^3: a\[1\] is -99999999999999999999/,
  ],
  ["a fraction with too many digits", "a: 0.12345678901234567\n", /^1: a is 0\.12345678901234567/],
  ["an infinite number", "a: 1e999\n", /^1: a is 1e999, which is not a finite number/],
  ["no number", "a: .nan\n", /not a finite number/],
  ["an alias", "a: &x 1\nb: *x\n", /^2: b is an alias/],
  ["two documents", "a: 1\n---\nb: 2\n", /^2: {2}begins a second document/],
  ["another YAML version", "%YAML 1.1\n---\na: yes\n", /^1: {2}the directive %YAML 1\.1/],
  ["a tab", "a:\n\tb: 1\n", /^2: {2}is indented with a tab/],
  ["a duplicate key", "a: 1\na: 2\n", /^2: {2}has a key that its mapping contains already/],
  ["a missing quote", "a: 'x\n", /lacks a closing quote/],
  ["two keys in one line", "a: b: c\n", /two keys in one line/],
  ["an unknown escape sequence", 'a: "\\q"\n', /escape sequence/],
])("refuses %s, and names line and key", (_, text, problem) => {
  const problems = problemsOf(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(problem);
  // Messages about the parser's own functions are for programmers.
  expect(problems[0]).not.toMatch(/YAML\.|parse[A-Z]|Map keys|plain value|implicit/);
});

test("reads numbers that JavaScript represents, and long numbers in quotes", () => {
  const { value } = parseYaml('a: 9007199254740991\nb: 0.1\nc: 1e3\nd: "18446744073709551615"\ne: 1.50\n');
  expect(value).toEqual({ a: 9_007_199_254_740_991, b: 0.1, c: 1000, d: "18446744073709551615", e: 1.5 });
});
