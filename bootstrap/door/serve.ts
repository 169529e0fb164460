import { createInterface } from "node:readline";
import { statusWriter } from "../os/helper-process.ts";
import { AnswerProbe } from "./answer-probe.ts";
import { Door } from "./door.ts";
import { DoorMessage, type DoorStatus } from "./messages.ts";

const reportMilliseconds = 250;

/** `eclair-bootstrap door`: passes connections as the supervisor on standard input says, until that input ends. */
export async function serveDoor(): Promise<void> {
  const door = new Door();
  const stop = new AbortController();
  let last: DoorMessage | undefined;
  const probe = new AnswerProbe(() => last?.route ?? { to: "nobody" }, door);
  void probe.run(stop.signal);
  const write = statusWriter();
  const reporting = setInterval(() => {
    const { answeredSecondsAgo, problem } = probe;
    const status: DoorStatus = {
      report: door.report(),
      ...(answeredSecondsAgo !== undefined && { answeredSecondsAgo }),
      ...(problem !== undefined && { problem }),
    };
    write(status);
  }, reportMilliseconds);
  for await (const line of createInterface({ input: process.stdin })) {
    const message = DoorMessage.parse(JSON.parse(line));
    if (last === undefined) door.listen(message.address);
    last = message;
    door.update(message);
  }
  clearInterval(reporting);
  stop.abort();
  door.close();
}
