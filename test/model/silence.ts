/**
 * A model of claims by silence: one holder of the lease and its claimants, in steps of a quarter of a second. In each step, an
 * adversary decides which hosts are paused, whose statements the database executes and answers, which questions of the holder
 * arrive, and when the database executes a claim that was sent. The fence protects the database in any case; the model is about
 * the peers, to which a superseded Eclair must send nothing.
 */

/** In quarters of a second, as in bootstrap/supervisor/silence/timing.ts. Times of the holder are rounded up. */
const mute = 10;
const claim = 12;
const ask = 6;
const askAgain = 4;
const promise = 8;
const promiseValid = 8;
const unanswered = 4;
const gap = 1;
/** More than this makes no difference. */
const silentCap = claim;
const askedCap = askAgain;

/** Each rule can be removed. */
export const rules = [
  /** A holder without an answer of the database and without promises is mute. */
  "mute",
  /** The holder asks its claimants. */
  "ask",
  /** The promises of all claimants are needed. */
  "all promise",
  /** A claimant that has promised does not claim for two seconds. */
  "promise binds",
  /** A claimant promises only while it has no answer of the database either. */
  "promise without an answer",
  /** Only a claimant that the holder has acknowledged claims. */
  "acknowledgement",
  /** A claimant counts from the beginning after a gap between its own statements. */
  "gap",
  /** The database compares the holder and its sessions once more when it executes a claim. */
  "comparison",
] as const;
export type Rule = (typeof rules)[number];
type HasRule = (rule: Rule) => boolean;

/** With the rule `gap`, a longer time between two statements of a claimant makes no difference. */
const ageCap = (has: HasRule) => (has("gap") ? unanswered : claim);

type Claimant = {
  readonly acknowledged: boolean;
  /** Since the last answered statement. */
  readonly answeredAge: number;
  /** How long the holder's sessions have not changed, as this claimant counts. */
  readonly silent: number;
  /** Until the end of the promise. */
  readonly promised: number;
  /** A claim that the database has not executed yet: whether the holder's sessions have changed since it was sent. */
  readonly claim: "none" | "unchanged" | "changed";
};

type State = {
  /** Since the sending of the holder's last answered statement. */
  readonly answeredAge: number;
  /** Since the holder's last statement that the database executed. */
  readonly statementAge: number;
  /** For how long the holder relies on promises. */
  readonly promised: number;
  readonly askedAge: number;
  readonly claimants: readonly Claimant[];
};

/** What the adversary decides for a step. */
export type Step = {
  readonly holderPaused: boolean;
  /** `executed`: the answer is lost. */
  readonly holderStatement: "answered" | "executed" | "lost";
  readonly claimants: readonly {
    readonly paused: boolean;
    readonly answered: boolean;
    /** Whether questions and replies arrive. */
    readonly reachable: boolean;
    /** Whether the database executes the claim that this claimant has sent. */
    readonly claimArrives: boolean;
  }[];
};

export type Finding =
  /** A claimant claims the lease while the holder may send to its peers. */
  | "two senders"
  /** The holder is mute, or loses its lease. */
  | "restart";

/** Explores every choice of the adversary among these steps. */
export function explore(
  steps: readonly Step[],
  removed: readonly Rule[],
  acknowledged: readonly boolean[],
): Set<Finding> {
  const findings = new Set<Finding>();
  const has = (rule: Rule) => !removed.includes(rule);
  const initial: State = {
    answeredAge: 0,
    statementAge: 0,
    promised: 0,
    askedAge: askedCap,
    claimants: acknowledged.map((one) => ({
      acknowledged: one,
      answeredAge: 0,
      silent: 0,
      promised: 0,
      claim: "none",
    })),
  };
  const seen = new Set<string>();
  const pending = [initial];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const key = keyOf(state);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const step of steps) {
      const next = advance(state, step, has);
      if (next === "two senders") findings.add("two senders");
      if (next === "two senders" || next === "claimed" || isMute(next, has)) findings.add("restart");
      if (typeof next !== "string" && !(isMute(next, has) && next.claimants.every(isIdle)))
        pending.push(next);
    }
  }
  return findings;
}

function keyOf({ answeredAge, statementAge, promised, askedAge, claimants }: State): string {
  const parts = claimants.map((one) => `${one.answeredAge},${one.silent},${one.promised},${one.claim}`);
  return `${answeredAge},${statementAge},${promised},${askedAge};${parts.join(";")}`;
}

/** Whether the holder sends nothing: by its own time, without any action of its supervisor. */
function isMute({ answeredAge, promised, claimants }: State, has: HasRule): boolean {
  const hasClaimants = claimants.some(({ acknowledged }) => acknowledged);
  return has("mute") && hasClaimants && answeredAge >= mute && promised <= 0;
}

/**
 * A claimant that counts no silence, has not promised, and has sent no claim. With such claimants only, the exploration of a mute
 * holder ends: the state after the next answer of the database is also reached without the mute time, and is explored there.
 */
const isIdle = ({ silent, promised, claim: sent }: Claimant): boolean =>
  silent === 0 && promised === 0 && sent === "none";

function advance(state: State, step: Step, has: HasRule): State | "two senders" | "claimed" {
  const aged = age(state, ageCap(has));
  const wasMute = isMute(aged, has);
  const asked = askClaimants(aged, step, has, wasMute);
  const holder = runHolder(asked, step);
  const claimants = holder.claimants.map((claimant, index) =>
    observe(claimant, step.claimants[index], holder.statementAge, has),
  );
  const next = {
    ...holder,
    claimants: claimants.map((one, index) => sendClaim(one, step.claimants[index], has)),
  };
  const isExecuted = next.claimants.some(
    (claimant, index) =>
      step.claimants[index]?.claimArrives === true &&
      (claimant.claim === "unchanged" || (claimant.claim === "changed" && !has("comparison"))),
  );
  if (isExecuted) return isMute(next, has) ? "claimed" : "two senders";
  // The database has refused the claims that it executed.
  return {
    ...next,
    claimants: next.claimants.map((claimant, index) =>
      step.claimants[index]?.claimArrives === true ? { ...claimant, claim: "none" } : claimant,
    ),
  };
}

function sendClaim(claimant: Claimant, step: Step["claimants"][number] | undefined, has: HasRule): Claimant {
  const claims =
    step?.paused === false &&
    claimant.claim === "none" &&
    claimant.answeredAge === 0 &&
    claimant.silent >= claim &&
    (claimant.promised <= 0 || !has("promise binds")) &&
    (claimant.acknowledged || !has("acknowledgement"));
  return claims ? { ...claimant, claim: "unchanged" } : claimant;
}

function age(state: State, longest: number): State {
  const older = (value: number, cap: number) => Math.min(cap, value + 1);
  const shorter = (value: number) => Math.max(0, value - 1);
  return {
    answeredAge: older(state.answeredAge, mute),
    statementAge: older(state.statementAge, longest),
    promised: shorter(state.promised),
    askedAge: older(state.askedAge, askedCap),
    claimants: state.claimants.map((claimant) => ({
      ...claimant,
      answeredAge: older(claimant.answeredAge, longest),
      promised: shorter(claimant.promised),
    })),
  };
}

/** A refusal has no effect in the model: the holder is mute at its deadline at the latest. */
function askClaimants(state: State, step: Step, has: HasRule, wasMute: boolean): State {
  const { answeredAge, askedAge, claimants } = state;
  if (!has("ask") || step.holderPaused || wasMute || answeredAge < ask || askedAge < askAgain) return state;
  const replies = claimants.map((claimant, index) => {
    const { paused = true, reachable = false } = step.claimants[index] ?? {};
    if (!claimant.acknowledged || paused || !reachable) return false;
    return claimant.answeredAge >= unanswered || !has("promise without an answer");
  });
  const relevant = replies.filter((_, index) => claimants[index]?.acknowledged);
  const isPromised = has("all promise") ? relevant.every(Boolean) : relevant.some(Boolean);
  return {
    ...state,
    // After a missing promise, the holder asks again in the next step.
    askedAge: isPromised ? 0 : askAgain,
    promised: isPromised ? promiseValid : state.promised,
    claimants: claimants.map((claimant, index) =>
      replies[index] === true ? { ...claimant, promised: promise } : claimant,
    ),
  };
}

/**
 * The Eclair of a mute holder is ended. When the database answers its supervisor again, its next Eclair takes the lease and sends
 * to its peers.
 */
function runHolder(state: State, { holderPaused, holderStatement }: Step): State {
  if (holderPaused || holderStatement === "lost") return state;
  return {
    ...state,
    statementAge: 0,
    answeredAge: holderStatement === "answered" ? 0 : state.answeredAge,
    claimants: state.claimants.map((claimant) =>
      claimant.claim === "none" ? claimant : { ...claimant, claim: "changed" },
    ),
  };
}

function observe(
  claimant: Claimant,
  step: Step["claimants"][number] | undefined,
  statementAge: number,
  has: HasRule,
): Claimant {
  if (step === undefined || step.paused || !step.answered) return claimant;
  const elapsed = claimant.answeredAge;
  const isUnchanged = statementAge >= elapsed;
  const isContinued = isUnchanged && (elapsed <= gap || !has("gap"));
  return {
    ...claimant,
    answeredAge: 0,
    silent: isContinued ? Math.min(silentCap, claimant.silent + elapsed) : 0,
  };
}

/** Every choice of the adversary for a number of claimants. */
export function allSteps(claimants: number): Step[] {
  const both = [false, true];
  const choices = both.flatMap((paused) =>
    both.flatMap((answered) =>
      both.flatMap((reachable) =>
        both.map((claimArrives) => ({ paused, answered, reachable, claimArrives })),
      ),
    ),
  );
  const combinations = Array.from({ length: claimants }).reduce<(typeof choices)[]>(
    (all) => all.flatMap((some) => choices.map((choice) => [...some, choice])),
    [[]],
  );
  return [false, true].flatMap((holderPaused) =>
    (["answered", "executed", "lost"] as const).flatMap((holderStatement) =>
      combinations.map((chosen) => ({ holderPaused, holderStatement, claimants: chosen })),
    ),
  );
}

/** The database answers no instance, or all instances; nothing else fails. */
export const stalledForAll = (claimants: number): Step[] =>
  [false, true].map((answered) => ({
    holderPaused: false,
    holderStatement: answered ? "answered" : "lost",
    claimants: Array.from({ length: claimants }, () => ({
      paused: false,
      answered,
      reachable: true,
      claimArrives: true,
    })),
  }));
