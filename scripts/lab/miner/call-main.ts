// One RPC call of a bitcoind of the lab: `call-main.ts ADDRESS METHOD PARAMS-AS-JSON` prints the result as JSON.
import { z } from "zod";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { labRpc } from "./rpc.ts";

const timeoutMilliseconds = 60_000;

const [address = "", method = "", parameters = "[]"] = process.argv.slice(2);
try {
  const params = z.array(z.unknown()).parse(JSON.parse(parameters));
  const result = await labRpc(address)(method, params, { milliseconds: timeoutMilliseconds });
  process.stdout.write(JSON.stringify(result ?? null));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
