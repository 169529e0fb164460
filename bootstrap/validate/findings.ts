/** Something that an image must not contain, or lacks. */
export type Finding = {
  /** The name of the check, stable for programs. */
  readonly check: string;
  readonly path: string;
  /** What is wrong. It never contains a secret. */
  readonly problem: string;
};

/**
 * - `image`: the file system before the image is taken
 * - `instance`: a booted instance, which has created its own host keys, logs and state
 */
export const validationKinds = ["image", "instance"] as const;
export type ValidationKind = (typeof validationKinds)[number];
