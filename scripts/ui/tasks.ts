import { Listr, type ListrTask } from "listr2";
import { Failure } from "../core/failure.ts";

/** How a verb shows what it does: live on a terminal, plain lines in CI, events for programs. */
export type Presentation = "terminal" | "plain" | "json";

export function choosePresentation(json: boolean, isTerminal: boolean): Presentation {
  if (json) return "json";
  return isTerminal ? "terminal" : "plain";
}

/** Runs a task list to its end and throws the first failure. */
export async function runTasks<State extends object>(
  tasks: readonly ListrTask<State>[],
  state: State,
  presentation: Presentation,
): Promise<void> {
  if (presentation === "json") return await runWithEvents(tasks, state);
  const list = new Listr<State>([...tasks], {
    ctx: state,
    renderer: presentation === "terminal" ? "default" : "simple",
    fallbackRenderer: "simple",
    rendererOptions: { collapseErrors: false, showErrorMessage: false },
    fallbackRendererOptions: {},
    // Ctrl-C is handled once, in the command line.
    registerSignalListeners: false,
  } as never);
  await list.run();
}

async function runWithEvents<State extends object>(
  tasks: readonly ListrTask<State>[],
  state: State,
): Promise<void> {
  for (const task of tasks) {
    const shown = { title: String(task.title) };
    const started = performance.now();
    const event = (kind: string, more: object = {}) => emit({ event: kind, task: shown.title, ...more });
    event("started");
    const handle = new Proxy(shown, {
      set: (target, key, value: string) => {
        if (key === "title") target.title = value;
        if (key === "output") event("output", { text: value });
        return true;
      },
    });
    try {
      await (task.task as unknown as (state: State, handle: object) => Promise<void>)(state, handle);
    } catch (error) {
      event("failed", { message: error instanceof Failure ? error.facts : String(error) });
      throw error;
    }
    event("done", { seconds: Math.round(performance.now() - started) / 1000 });
  }
}

/** One line of JSON on standard output. */
export function emit(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
