/**
 * The protocol by which two hosts share one node, small enough to be explored whole: every interleaving of pauses,
 * partitions, crashes, takeovers, releases and clock steps. A partition of a host from the database is its supervisor
 * being held: nothing passes the gate, and nothing is seen. Time is left out: a lease runs out at any moment, unless a
 * rule says otherwise.
 */

/** What keeps a second writer away; each can be taken out. */
export type Rules = {
  /** The fence refuses a holder that has a successor. */
  readonly epochs: boolean;
  /** The fence refuses writes to Eclair's tables from another host than the latest holder's, and holds takeovers back meanwhile. */
  readonly tables: boolean;
  /** Eclair's own check of the lease in its transactions on channels. */
  readonly check: boolean;
  /** A takeover's supervisor ends the sessions of other hosts when the lease has run out. */
  readonly sessions: boolean;
  /** The server ends a transaction whose client is silent. */
  readonly idle: boolean;
  /** A supervisor ends its Eclair before its lease can have run out. */
  readonly watchdog: boolean;
  /** A supervisor expires the lease of its own Eclair alone, and only once that is dead. */
  readonly ownRelease: boolean;
};
export const allRules: Rules = {
  epochs: true,
  tables: true,
  check: true,
  sessions: true,
  idle: true,
  watchdog: true,
  ownRelease: true,
};

/** What may happen beside the protocol. */
export type World = {
  /** Supervisors, with gate and watchdog, may be held as well. */
  readonly held: boolean;
  /** The database's clock may step forward. */
  readonly clock: boolean;
};
export const worstWorld: World = { held: true, clock: true };

type Transaction = "none" | "checked" | "unchecked";
type Eclair = {
  readonly id: number;
  readonly open: boolean;
  readonly paused: boolean;
  /** It took the lease once, and goes on what it has read since. */
  readonly serves: boolean;
  readonly transaction: Transaction;
  /** Whether the transaction has read the lease, so that a takeover waits for it. */
  readonly locks: boolean;
};
type Host = { readonly eclair: Eclair | null; readonly held: boolean };
export type State = {
  readonly hosts: readonly [Host, Host];
  /** The row in `lease`; 0: nobody ever held it. */
  readonly holder: number;
  readonly expired: boolean;
  /** The latest epoch, and the host it came from. */
  readonly latest: number;
  readonly latestHost: number;
  /** Eclairs by their first takeover. */
  readonly order: readonly number[];
  readonly next: number;
};

/** An action, and where it leads; a write says whether it came after another one's takeover. */
export type Step = { readonly name: string; readonly to: State; readonly overlap?: boolean };

/** One that is superseded, its successor, and two more to come after them. */
const eclairs = 4;

export const start: State = {
  hosts: [
    { eclair: null, held: false },
    { eclair: null, held: false },
  ],
  holder: 0,
  expired: true,
  latest: 0,
  latestHost: -1,
  order: [],
  next: 1,
};

const idle = { transaction: "none", locks: false } as const;

/** Everything that can happen next. */
export function* steps(state: State, rules: Rules, world: World): Generator<Step> {
  for (const at of [0, 1] as const) {
    yield* ofHost(state, at, rules, world);
    const { eclair } = state.hosts[at];
    if (eclair !== null) yield* ofEclair(state, at, eclair, rules);
  }
  if (!state.expired && mayRunOut(state, rules, world))
    yield { name: "the lease runs out", to: { ...state, expired: true } };
}

/** With its watchdog awake, an Eclair is dead before its lease has run out; a clock that steps asks nobody. */
function mayRunOut(state: State, rules: Rules, world: World): boolean {
  if (world.clock || !rules.watchdog) return true;
  return state.hosts.every(({ eclair, held }) => eclair?.id !== state.holder || held);
}

function* ofHost(state: State, at: 0 | 1, rules: Rules, world: World): Generator<Step> {
  const { eclair, held } = state.hosts[at];
  const other = at === 0 ? 1 : 0;
  if (world.held)
    yield {
      name: `${at}: the supervisor is ${held ? "let go" : "held"}`,
      to: setHost(state, at, { held: !held }),
    };
  if (held) return;
  if (eclair === null) {
    if (state.next <= eclairs) {
      const armed = { id: state.next, open: false, paused: false, serves: false, ...idle };
      yield {
        name: `${at}: arms ${state.next}`,
        to: setHost({ ...state, next: state.next + 1 }, at, { eclair: armed }),
      };
    }
    return;
  }
  const without = setHost(state, at, { eclair: null });
  if (!eclair.open && state.expired)
    yield { name: `${at}: the gate opens`, to: setEclair(state, at, { open: true }) };
  if (rules.sessions && state.expired)
    yield { name: `${at}: ends others' sessions`, to: setEclair(state, other, idle) };
  if (eclair.serves && state.holder !== eclair.id)
    yield { name: `${at}: sees the fence, kills`, to: without };
  if (rules.watchdog && eclair.open) yield { name: `${at}: the watchdog kills`, to: without };
  yield { name: `${at}: the crash is seen`, to: released(without, eclair.id, rules) };
  if (!rules.ownRelease && eclair.serves)
    yield { name: `${at}: expires the lease of one that lives`, to: { ...state, expired: true } };
}

function released(state: State, id: number, rules: Rules): State {
  return state.holder === id || !rules.ownRelease ? { ...state, expired: true } : state;
}

function* ofEclair(state: State, at: 0 | 1, eclair: Eclair, rules: Rules): Generator<Step> {
  const { id } = eclair;
  yield {
    name: `${id} ${eclair.paused ? "goes on" : "is stopped"}`,
    to: setEclair(state, at, { paused: !eclair.paused }),
  };
  // What was sent is carried out, whatever has become of the sender.
  if (eclair.transaction !== "none")
    yield { name: `${id} commits`, to: setEclair(state, at, idle), overlap: state.order.at(-1) !== id };
  if (rules.idle && eclair.transaction !== "none" && eclair.paused)
    yield { name: `the server ends ${id}'s transaction`, to: setEclair(state, at, idle) };
  if (eclair.paused || !eclair.open || state.hosts[at].held) return;
  const taken = takes(state, at, id, rules);
  if (taken !== undefined) yield taken;
  if (!eclair.serves || eclair.transaction !== "none") return;
  if (!rules.check || (state.holder === id && !state.expired))
    yield { name: `${id} writes`, to: setEclair(state, at, { transaction: "checked", locks: rules.check }) };
  if (!rules.tables || state.latestHost === at)
    yield {
      name: `${id} writes unchecked`,
      to: setEclair(state, at, { transaction: "unchecked", locks: rules.tables }),
    };
  if (state.holder === id)
    yield { name: `${id} ends and releases`, to: setHost({ ...state, expired: true }, at, { eclair: null }) };
}

/** Eclair takes, and renews, in the same way: its own lease, or any that has run out. */
function takes(state: State, at: 0 | 1, id: number, rules: Rules): Step | undefined {
  if (isLocked(state, at)) return undefined;
  const gone = setHost(state, at, { eclair: null });
  if (!state.expired && state.holder !== id) return { name: `${id} is turned away`, to: gone };
  const superseded = state.order.includes(id) && state.latest !== id;
  if (rules.epochs && superseded) return { name: `${id} is refused by the fence`, to: gone };
  const order = state.order.includes(id) ? state.order : [...state.order, id];
  const taken = { ...state, holder: id, expired: false, latest: id, latestHost: at, order };
  return { name: `${id} takes the lease`, to: setEclair(taken, at, { serves: true }) };
}

function isLocked({ hosts }: State, by: number): boolean {
  return hosts.some(({ eclair }, at) => at !== by && eclair?.locks === true);
}

/** Whether a takeover waits for a transaction that nobody will end. */
export function isStuck(state: State, rules: Rules): boolean {
  return ([0, 1] as const).some((at) => {
    const { eclair, held } = state.hosts[at];
    const other = state.hosts[at === 0 ? 1 : 0].eclair;
    const waits = eclair?.open === true && !eclair.paused && !held && state.expired && isLocked(state, at);
    return waits && other?.paused === true && !rules.sessions && !rules.idle;
  });
}

function setHost(state: State, at: number, changes: Partial<Host>): State {
  const [first, second] = state.hosts;
  const hosts = at === 0 ? [{ ...first, ...changes }, second] : [first, { ...second, ...changes }];
  return { ...state, hosts: hosts as unknown as State["hosts"] };
}

function setEclair(state: State, at: 0 | 1, changes: Partial<Eclair>): State {
  const { eclair } = state.hosts[at];
  return eclair === null ? state : setHost(state, at, { eclair: { ...eclair, ...changes } });
}

export type Explored = {
  readonly states: number;
  /** The shortest way to a write after another one's takeover, when there is one. */
  readonly overlap?: readonly string[];
  /** The shortest way to a takeover that waits for ever. */
  readonly stuck?: readonly string[];
};

/** Goes every way there is, the shortest first. */
export function explore(rules: Rules, world: World): Explored {
  const cameBy = new Map<string, { readonly from: string; readonly name: string } | undefined>();
  const key = JSON.stringify(start);
  cameBy.set(key, undefined);
  let frontier: [string, State][] = [[key, start]];
  const way = (to: string, last: readonly string[]): string[] => {
    const names: string[] = [...last];
    for (let at = cameBy.get(to); at !== undefined; at = cameBy.get(at.from)) names.unshift(at.name);
    return names;
  };
  let overlap: readonly string[] | undefined;
  let stuck: readonly string[] | undefined;
  while (frontier.length > 0) {
    const found: [string, State][] = [];
    for (const [from, state] of frontier) {
      if (isStuck(state, rules)) stuck ??= way(from, []);
      for (const { name, to, overlap: overlaps } of steps(state, rules, world)) {
        if (overlaps === true) overlap ??= way(from, [name]);
        const next = JSON.stringify(to);
        if (cameBy.has(next)) continue;
        cameBy.set(next, { from, name });
        found.push([next, to]);
      }
    }
    frontier = found;
  }
  return {
    states: cameBy.size,
    ...(overlap !== undefined && { overlap }),
    ...(stuck !== undefined && { stuck }),
  };
}
