// One call of Eclair's API. Reads the call as JSON from standard input, and prints the answer as JSON.
import { text } from "node:stream/consumers";
import { callEclair } from "../../../bootstrap/eclair/api.ts";

const timeoutMilliseconds = 60_000;

type Call = { readonly password: string; readonly method: string; readonly form: string };

const { password, method, form } = JSON.parse(await text(process.stdin)) as Call;
const result = await callEclair(password, method, form, timeoutMilliseconds);
if ("answer" in result) process.stdout.write(JSON.stringify(result.answer));
else {
  console.error(result.problem);
  process.exitCode = 1;
}
