import Handlebars from "handlebars";
import { settingName } from "../config/eclair-settings.ts";

/** A helper for each format: it writes a value so that nothing in it can end the value. */
const helpers = {
  /** HOCON takes JSON's values as they are, and replaces nothing inside quotes. */
  hocon: (value: unknown) => JSON.stringify(value),
  /** bitcoind's format has no quotes: a line's end ends the value, `#` begins a comment. */
  ini: (value: unknown) => {
    const text = String(value);
    if (!/^[\x21\x22\x24-\x7e][\x20-\x22\x24-\x7e]*$/.test(text))
      throw new Error("a value for bitcoin.conf holds a character that could break out of its line");
    return text;
  },
  seconds: (value: unknown) => {
    if (!Number.isInteger(value)) throw new Error("a duration is no whole number of seconds");
    return `${String(value)} seconds`;
  },
  /** A setting's name, as its schema allows it. */
  path: (value: unknown) => {
    if (!settingName.test(String(value))) throw new Error("a setting's name is malformed");
    return String(value);
  },
} as const;

/** Fills a template; a variable that is missing, or a helper that is not known, is an error. */
export function fillTemplate(template: string, values: Readonly<Record<string, unknown>>): string {
  const handlebars = Handlebars.create();
  for (const [name, helper] of Object.entries(helpers))
    handlebars.registerHelper(name, (value: unknown) => {
      // Handlebars is strict with a variable alone, and not with one that is given to a helper.
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
