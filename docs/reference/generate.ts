// `npm run docs` writes the pages of this folder from the code. test/docs checks that they are up to date.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "./pages.ts";

for (const [name, text] of await pages()) writeFileSync(join(import.meta.dirname, name), text);
