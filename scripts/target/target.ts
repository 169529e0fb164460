import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";

/** Where images are baked and instances run: a lab on this machine, or AWS. The code is the same for both. */
export type Target = {
  readonly name: "lab" | "aws";
  readonly region: string;
  /** The client of one service, in the target's region and account unless another one is named. */
  readonly client: ClientFactory;
  /** The variables of the Packer template that differ between targets. */
  readonly packerVariables: Readonly<Record<string, string>>;
  /** The command prefix that runs a command where it can reach an instance; empty on AWS. */
  readonly commandPrefix: readonly string[];
  /** How a test instance is launched. */
  readonly instance: {
    readonly type: string;
    readonly subnetId?: string;
    readonly securityGroupIds?: readonly string[];
    readonly instanceProfile?: string;
  };
  /** A regtest node from which a test instance takes blocks; on AWS the test instance mines its own blocks. */
  readonly regtestPeer?: string;
};

export const targetNames = ["lab", "aws"] as const;

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** The settings that every client of the SDK understands. */
export type ClientSettings = {
  readonly region: string;
  readonly endpoint?: string;
  /** For S3 at another endpoint than AWS: the bucket is in the path, not in the name of the host. */
  readonly forcePathStyle?: boolean;
  readonly credentials?: Credentials | ReturnType<typeof fromTemporaryCredentials>;
};

/** The class of a service's client, e.g. `EC2Client`. */
export type ClientClass<Client> = new (settings: ClientSettings) => Client;

/** Another region or another account, the account by the ARN of a role in it. */
export type ClientScope = { readonly region?: string; readonly roleArn?: string };

export type ClientFactory = <Client>(service: ClientClass<Client>, scope?: ClientScope) => Client;

/**
 * Creates each client once for each service, region and role.
 * @param settings.roleArn the role that every call assumes, unless the call names another one
 * @param prepare called with each new client, e.g. to add a middleware
 */
export function clientFactory(
  settings: ClientSettings & { readonly roleArn?: string },
  prepare: (client: unknown) => void = () => undefined,
): ClientFactory {
  const clients = new Map<unknown, Map<string, unknown>>();
  return <Client>(
    service: ClientClass<Client>,
    { region = settings.region, roleArn = settings.roleArn }: ClientScope = {},
  ) => {
    const key = `${region} ${roleArn ?? ""}`;
    const ofService = clients.get(service) ?? new Map<string, unknown>();
    clients.set(service, ofService);
    const existing = ofService.get(key);
    if (existing !== undefined) return existing as Client;
    const { roleArn: _role, ...others } = settings;
    const { endpoint, credentials: own } = settings;
    const assume = (arn: string, masterCredentials: ClientSettings["credentials"]) =>
      fromTemporaryCredentials({
        params: { RoleArn: arn, RoleSessionName: "eclair-ami" },
        clientConfig: { region, ...(endpoint !== undefined && { endpoint }) },
        ...(masterCredentials !== undefined && { masterCredentials }),
      });
    const first = settings.roleArn === undefined ? undefined : assume(settings.roleArn, own);
    const client = new service({
      ...others,
      region,
      ...(roleArn !== undefined && {
        // A second role is assumed with the permissions of the first one.
        credentials: assume(roleArn, roleArn === settings.roleArn ? own : (first ?? own)),
      }),
    });
    prepare(client);
    ofService.set(key, client);
    return client;
  };
}
