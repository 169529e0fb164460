/**
 * A model of the protocol by which two hosts run one node. The model is small enough to explore every interleaving of
 * pauses, partitions, crashes, takeovers, releases and clock steps. A partition between a host and the database is a frozen
 * supervisor: the gate forwards nothing, and the supervisor observes nothing. The model has no time: a lease can expire in
 * any state, unless a rule prevents this.
 */

/** The rules that prevent a second writer. A test can disable each rule. */
export type Rules = {
  /** The fence refuses the lease to an Eclair that has a successor. */
  readonly epochs: boolean;
  /** The fence refuses the writes without a check of every Eclair but the latest holder. */
  readonly tables: boolean;
  /** A change of holder ends the sessions of all other Eclairs, and waits for the ends of their writes without a check. */
  readonly endsSessions: boolean;
  /** The fence and the supervisors treat all logins of the runtime role alike. */
  readonly allLogins: boolean;
  /** Eclair checks the lease in its transactions on channels. */
  readonly check: boolean;
  /** The supervisor terminates the database sessions of other hosts when the lease has expired. */
  readonly sessions: boolean;
  /** The server terminates a transaction whose client is idle. */
  readonly idle: boolean;
  /** A supervisor kills its Eclair before the lease can expire. */
  readonly watchdog: boolean;
  /** A supervisor expires only the lease of its own Eclair, and only after this Eclair has ended. */
  readonly ownRelease: boolean;
};
export const allRules: Rules = {
  epochs: true,
  tables: true,
  endsSessions: true,
  allLogins: true,
  check: true,
  sessions: true,
  idle: true,
  watchdog: true,
  ownRelease: true,
};

/** The faults that can happen in addition to pauses and crashes of Eclair. */
export type World = {
  /** Supervisors can freeze, with gate and watchdog. */
  readonly freezes: boolean;
  /** The clock of the database can step forward. */
  readonly clockSteps: boolean;
  /** The two hosts connect as two logins, as during a rotation. */
  readonly twoLogins: boolean;
};
export const worstWorld: World = { freezes: true, clockSteps: true, twoLogins: true };

/** A fence that knows one login protects no table from another, and neither the fence nor a supervisor ends its sessions. */
function effective(rules: Rules, { twoLogins }: World): Rules {
  if (!twoLogins || rules.allLogins) return rules;
  return { ...rules, tables: false, endsSessions: false, sessions: false };
}

type Transaction = "none" | "checked" | "unchecked";
type Eclair = {
  readonly id: number;
  readonly open: boolean;
  readonly paused: boolean;
  /** The Eclair has taken the lease once, and uses the state that it read then. */
  readonly serves: boolean;
  readonly transaction: Transaction;
  /** The transaction has read the lease, so a takeover and a renewal wait for the transaction. */
  readonly locks: boolean;
};
type Host = { readonly eclair: Eclair | null; readonly frozen: boolean };
export type State = {
  readonly hosts: readonly [Host, Host];
  /** The holder in the row of `lease`, or 0 before the first takeover. */
  readonly holder: number;
  readonly expired: boolean;
  /** The Eclair of the latest epoch. */
  readonly latest: number;
  /** The Eclairs in the order of their first takeovers. */
  readonly order: readonly number[];
  /** The id of the next Eclair. */
  readonly next: number;
};

/** An action and the next state. `overlap` marks a write after the takeover of another Eclair. */
export type Step = { readonly name: string; readonly to: State; readonly overlap?: boolean };

/** A superseded Eclair, its successor, and two later ones. */
const eclairs = 4;

export const start: State = {
  hosts: [
    { eclair: null, frozen: false },
    { eclair: null, frozen: false },
  ],
  holder: 0,
  expired: true,
  latest: 0,
  order: [],
  next: 1,
};

const idle = { transaction: "none", locks: false } as const;

/** Yields every possible next step. */
export function* steps(state: State, rules: Rules, world: World): Generator<Step> {
  for (const at of [0, 1] as const) {
    yield* hostSteps(state, at, rules, world);
    const { eclair } = state.hosts[at];
    if (eclair !== null) yield* eclairSteps(state, at, eclair, rules);
  }
  if (!state.expired && canExpire(state, rules, world))
    yield { name: "the lease expires", to: { ...state, expired: true } };
}

/** A watchdog that runs kills its Eclair before the lease expires, but not before a clock step. */
function canExpire(state: State, rules: Rules, world: World): boolean {
  if (world.clockSteps || !rules.watchdog) return true;
  return state.hosts.every(({ eclair, frozen }) => eclair?.id !== state.holder || frozen);
}

function* hostSteps(state: State, at: 0 | 1, rules: Rules, world: World): Generator<Step> {
  const { eclair, frozen } = state.hosts[at];
  const other = at === 0 ? 1 : 0;
  if (world.freezes)
    yield {
      name: `${at}: the supervisor ${frozen ? "continues" : "freezes"}`,
      to: setHost(state, at, { frozen: !frozen }),
    };
  if (frozen) return;
  if (eclair === null) {
    if (state.next <= eclairs) {
      const armedEclair = { id: state.next, open: false, paused: false, serves: false, ...idle };
      yield {
        name: `${at}: arms ${state.next}`,
        to: setHost({ ...state, next: state.next + 1 }, at, { eclair: armedEclair }),
      };
    }
    return;
  }
  const afterKill = setHost(state, at, { eclair: null });
  if (!eclair.open && state.expired)
    yield { name: `${at}: the gate opens`, to: setEclair(state, at, { open: true }) };
  if (rules.sessions && state.expired)
    yield { name: `${at}: terminates the sessions of the other host`, to: setEclair(state, other, idle) };
  if (eclair.serves && state.holder !== eclair.id)
    yield { name: `${at}: kills the superseded Eclair`, to: afterKill };
  if (rules.watchdog && eclair.open) yield { name: `${at}: the watchdog kills`, to: afterKill };
  yield { name: `${at}: detects a crash of Eclair`, to: released(afterKill, eclair.id, rules) };
  if (!rules.ownRelease && eclair.serves)
    yield { name: `${at}: expires the lease of a running Eclair`, to: { ...state, expired: true } };
}

function released(state: State, id: number, rules: Rules): State {
  return state.holder === id || !rules.ownRelease ? { ...state, expired: true } : state;
}

function* eclairSteps(state: State, at: 0 | 1, eclair: Eclair, rules: Rules): Generator<Step> {
  const { id } = eclair;
  yield {
    name: `${id} ${eclair.paused ? "continues" : "freezes"}`,
    to: setEclair(state, at, { paused: !eclair.paused }),
  };
  // The server executes a statement that it has received, also after the client has frozen or ended.
  if (eclair.transaction !== "none")
    yield { name: `${id} commits`, to: setEclair(state, at, idle), overlap: state.order.at(-1) !== id };
  if (rules.idle && eclair.transaction !== "none" && eclair.paused)
    yield { name: `the server terminates the transaction of ${id}`, to: setEclair(state, at, idle) };
  if (eclair.paused || !eclair.open || state.hosts[at].frozen) return;
  const takeover = takeLease(state, at, id, rules);
  if (takeover !== undefined) yield takeover;
  if (!eclair.serves || eclair.transaction !== "none") return;
  if (!rules.check || (state.holder === id && !state.expired))
    yield { name: `${id} writes`, to: setEclair(state, at, { transaction: "checked", locks: rules.check }) };
  if (!rules.tables || state.latest === id)
    yield {
      name: `${id} writes without a check`,
      to: setEclair(state, at, { transaction: "unchecked", locks: false }),
    };
  if (state.holder === id)
    yield {
      name: `${id} stops and releases the lease`,
      to: setHost({ ...state, expired: true }, at, { eclair: null }),
    };
}

/** Eclair takes and renews the lease in the same way: when it is the holder, or when the lease has expired. */
function takeLease(state: State, at: 0 | 1, id: number, rules: Rules): Step | undefined {
  if (isLocked(state, at)) return undefined;
  const afterExit = setHost(state, at, { eclair: null });
  if (!state.expired && state.holder !== id)
    return { name: `${id} exits because another Eclair holds the lease`, to: afterExit };
  const superseded = state.order.includes(id) && state.latest !== id;
  if (rules.epochs && superseded) return { name: `${id} is refused by the fence`, to: afterExit };
  const order = state.order.includes(id) ? state.order : [...state.order, id];
  const taken = { ...state, holder: id, expired: false, latest: id, order };
  const changed =
    rules.endsSessions && state.latest !== id ? setEclair(taken, at === 0 ? 1 : 0, idle) : taken;
  return { name: `${id} takes the lease`, to: setEclair(changed, at, { serves: true }) };
}

function isLocked({ hosts }: State, by: number): boolean {
  return hosts.some(({ eclair }, at) => at !== by && eclair?.locks === true);
}

/** Whether a takeover waits for a transaction that will never end. */
export function isBlocked(state: State, rules: Rules): boolean {
  return ([0, 1] as const).some((at) => {
    const { eclair, frozen } = state.hosts[at];
    const other = state.hosts[at === 0 ? 1 : 0].eclair;
    const waits = eclair?.open === true && !eclair.paused && !frozen && state.expired && isLocked(state, at);
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

const hostKey = ({ eclair, frozen }: Host): string => {
  if (eclair === null) return `${Number(frozen)}-`;
  const { id, open, paused, serves, transaction, locks } = eclair;
  const flags = [frozen, open, paused, serves, locks].map(Number).join("");
  return `${flags}${id}${transaction.charAt(0)}`;
};

/** A text that is equal only for equal states, or for states that differ only in the names of the two hosts. */
function keyOf(state: State): string {
  const { hosts } = state;
  const own = `${hostKey(hosts[0])}${hostKey(hosts[1])}`;
  const mirrored = `${hostKey(hosts[1])}${hostKey(hosts[0])}`;
  const { holder, expired, latest, order, next } = state;
  return `${own < mirrored ? own : mirrored}:${holder}${Number(expired)}${latest}:${order.join("")}:${next}`;
}

export type Exploration = {
  readonly states: number;
  /** The shortest path to a write after the takeover of another Eclair, if any. */
  readonly overlap?: readonly string[];
  /** The shortest path to a takeover that waits forever, if any. */
  readonly blocked?: readonly string[];
};

/** Explores all reachable states, breadth-first. */
export function explore(wanted: Rules, world: World): Exploration {
  const rules = effective(wanted, world);
  const predecessors = new Map<string, { readonly from: string; readonly name: string } | undefined>();
  const key = keyOf(start);
  predecessors.set(key, undefined);
  let frontier: [string, State][] = [[key, start]];
  const pathTo = (to: string, last: readonly string[]): string[] => {
    const names: string[] = [...last];
    for (let at = predecessors.get(to); at !== undefined; at = predecessors.get(at.from))
      names.unshift(at.name);
    return names;
  };
  let overlap: readonly string[] | undefined;
  let blocked: readonly string[] | undefined;
  while (frontier.length > 0) {
    const discovered: [string, State][] = [];
    for (const [from, state] of frontier) {
      if (isBlocked(state, rules)) blocked ??= pathTo(from, []);
      for (const { name, to, overlap: overlaps } of steps(state, rules, world)) {
        if (overlaps === true) overlap ??= pathTo(from, [name]);
        const next = keyOf(to);
        if (predecessors.has(next)) continue;
        predecessors.set(next, { from, name });
        discovered.push([next, to]);
      }
    }
    frontier = discovered;
  }
  return {
    states: predecessors.size,
    ...(overlap !== undefined && { overlap }),
    ...(blocked !== undefined && { blocked }),
  };
}
