import type { Scope } from "../../addresses.ts";
import type { ApiResponse } from "../../front/query.ts";
import type { Forward } from "../../front/server.ts";

/** Handles one action of EC2. */
export type Ec2Handler = (
  form: URLSearchParams,
  forward: Forward,
  scope: Scope,
) => Promise<ApiResponse | undefined>;

export type Ec2Handlers = Readonly<Record<string, Ec2Handler>>;
