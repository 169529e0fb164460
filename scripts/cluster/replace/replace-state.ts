import { z } from "zod";

/** The last `replace` of an Auto Scaling group, by launch template versions. */
export const ReplaceState = z.strictObject({
  from: z.string(),
  to: z.string(),
  /** `rollingBack`: to the version from which the previous `replace` began. */
  state: z.enum(["rollingForward", "rollingBack", "done"]),
  reversible: z.boolean(),
});
export type ReplaceState = z.infer<typeof ReplaceState>;

const formatVersion = "v1";

/** The value of the group's tag, such as `v1 from=3 to=4 state=done reversible=true`. */
export const formatReplaceState = ({ from, to, state, reversible }: ReplaceState): string =>
  `${formatVersion} from=${from} to=${to} state=${state} reversible=${reversible}`;

/** The state in the group's tag; undefined for a group without one, or with another format. */
export function parseReplaceState(text: string | undefined): ReplaceState | undefined {
  const [version, ...fields] = (text ?? "").split(" ");
  if (version !== formatVersion) return undefined;
  const values = Object.fromEntries(fields.map((field) => field.split("=")));
  return ReplaceState.safeParse({ ...values, reversible: values["reversible"] === "true" }).data;
}
