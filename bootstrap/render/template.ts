import Handlebars from "handlebars";
import { settingName } from "../contract/eclair/settings.ts";

/** A helper for each format: it encodes a value so that the value cannot break out of its place. */
const helpers = {
  /** HOCON accepts JSON values, and substitutes nothing inside quotes. */
  hocon: (value: unknown) => JSON.stringify(value),
  /** The format of bitcoind has no quotes: the end of the line ends the value, and `#` begins a comment. */
  ini: (value: unknown) => {
    const text = String(value);
    if (!/^[\x21\x22\x24-\x7e][\x20-\x22\x24-\x7e]*$/.test(text))
      throw new Error("a value for bitcoin.conf contains a character that could break out of its line");
    return text;
  },
  seconds: (value: unknown) => {
    if (!Number.isInteger(value)) throw new Error("a duration is not a whole number of seconds");
    return `${String(value)} seconds`;
  },
  /** The name of a setting, as its schema permits it. */
  path: (value: unknown) => {
    if (!settingName.test(String(value))) throw new Error("the name of a setting is malformed");
    return String(value);
  },
} as const;

/** Fills a template. A missing variable and an unknown helper are errors. */
export function fillTemplate(template: string, values: Readonly<Record<string, unknown>>): string {
  const handlebars = Handlebars.create();
  for (const [name, helper] of Object.entries(helpers))
    handlebars.registerHelper(name, (value: unknown) => {
      // The strict mode of Handlebars does not cover the arguments of helpers.
      if (value === undefined) throw new Error(`a value for the helper ${name} is missing`);
      return helper(value);
    });
  return handlebars.compile(template, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(Object.keys(helpers).map((name) => [name, true])),
  })(values);
}
