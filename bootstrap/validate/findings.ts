/** Something that an image must not hold, or lacks. */
export type Finding = {
  /** The check's name, stable for programs. */
  readonly check: string;
  readonly path: string;
  /** What is wrong with it; never a secret's text. */
  readonly problem: string;
};

/** Before an image is taken, or on an instance that has booted and made what is its own. */
export type Stage = "image" | "instance";
