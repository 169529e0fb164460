import type { Scope } from "../addresses.ts";

/** One call in AWS' query protocol: a form with an Action. */
export type QueryCall = {
  readonly action: string;
  readonly form: URLSearchParams;
  /** The account of the signer, and the region of the signature. */
  readonly scope: Scope;
};

/** Whether a call changes nothing. */
export const isRead = ({ action }: Pick<QueryCall, "action">) => /^(Describe|Get|List)/.test(action);

export function parseQuery(
  contentType: string | undefined,
  body: Buffer,
  scope: Scope,
): QueryCall | undefined {
  if (!contentType?.startsWith("application/x-www-form-urlencoded")) return undefined;
  const form = new URLSearchParams(body.toString("utf8"));
  const action = form.get("Action");
  return action === null ? undefined : { action, form, scope };
}

/** The values of `NAME.1`, `NAME.2`, … in order. */
export function listOf(form: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = form.get(`${name}.${index}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** The text of the first element with a name. */
export function elementText(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

export type ApiResponse = { readonly status: number; readonly body: string };

/** A successful response in EC2's format. */
export function ec2Response(action: string, inner: string): ApiResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>lab</requestId>${inner}</${action}Response>`;
  return { status: 200, body };
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function ec2Error(code: string, message: string): ApiResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error></Errors><RequestID>lab</RequestID></Response>`;
  return { status: 400, body };
}

/**
 * A successful response in the query protocol of ELB and Auto Scaling.
 * @param service the namespace, such as `elasticloadbalancing.amazonaws.com/doc/2015-12-01`
 */
export function queryResponse(action: string, service: string, inner: string): ApiResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://${service}/"><${action}Result>${inner}</${action}Result><ResponseMetadata><RequestId>lab</RequestId></ResponseMetadata></${action}Response>`;
  return { status: 200, body };
}

/** An error in the query protocol of RDS, ELB and Auto Scaling. */
export function queryError(code: string, message: string): ApiResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>lab</RequestId></ErrorResponse>`;
  return { status: 400, body };
}
