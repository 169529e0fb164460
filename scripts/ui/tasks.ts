import { Listr, type ListrTask } from "listr2";
import { asEclairAmiError } from "../../bootstrap/contract/errors.ts";

/** How a verb shows its progress: live on a terminal, plain lines in CI, JSON events for programs. */
export type Presentation = "terminal" | "plain" | "json";

export function choosePresentation(json: boolean, isTerminal: boolean): Presentation {
  if (json) return "json";
  return isTerminal ? "terminal" : "plain";
}

/** Runs the tasks in order. @throws the first failure */
export async function runTasks<State extends object>(
  tasks: readonly ListrTask<State>[],
  state: State,
  presentation: Presentation,
  signal: AbortSignal,
): Promise<void> {
  if (presentation === "json") return await runWithEvents(tasks, state, signal);
  const list = new Listr<State>(
    tasks.map((task) => unlessAborted(task, signal)),
    {
      ctx: state,
      renderer: presentation === "terminal" ? "default" : "simple",
      fallbackRenderer: "simple",
      rendererOptions: { collapseErrors: false, showErrorMessage: false },
      fallbackRendererOptions: {},
      // The command line handles Ctrl-C, once for all verbs.
      registerSignalListeners: false,
    } as never,
  );
  await list.run();
}

/** A task that does not begin after an interrupt. */
function unlessAborted<State extends object>(task: ListrTask<State>, signal: AbortSignal): ListrTask<State> {
  return {
    ...task,
    task: (state, handle) => {
      signal.throwIfAborted();
      return task.task(state, handle);
    },
  };
}

async function runWithEvents<State extends object>(
  tasks: readonly ListrTask<State>[],
  state: State,
  signal: AbortSignal,
): Promise<void> {
  for (const task of tasks) {
    signal.throwIfAborted();
    const shown = { title: String(task.title) };
    const started = performance.now();
    const event = (kind: string, more: object = {}) =>
      emit({ event: `task.${kind}`, task: shown.title, ...more });
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
      event("failed", { error: asEclairAmiError(error) });
      throw error;
    }
    event("succeeded", { durationMs: Math.round(performance.now() - started) });
  }
}

/** Prints one event as a line of JSON on standard output. */
export function emit(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
