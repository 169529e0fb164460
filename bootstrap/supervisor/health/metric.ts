import type { InstanceReport } from "../../contract/reports/instance.ts";

export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };

export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** No sample while the value is not known. */
  readonly samples: (report: InstanceReport) => readonly Sample[];
};

export const one = (value: number | boolean): readonly Sample[] => [{ value: Number(value) }];
