import { X509Certificate } from "node:crypto";
import { z } from "zod";

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Certificate authorities in PEM, as AWS publishes them: one or more certificates. */
export const Certificates = z.string().superRefine((text, context) => {
  const message = problemOf(text);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

function problemOf(text: string): string | undefined {
  const found = text.match(block) ?? [];
  if (found.length === 0) return "must contain certificates in PEM: `-----BEGIN CERTIFICATE-----`";
  for (const [index, pem] of found.entries()) {
    const certificate = read(pem);
    if (certificate === undefined)
      return `must contain valid certificates: number ${index + 1} cannot be read`;
    if (!certificate.ca)
      return `must contain certificate authorities: number ${index + 1} (${certificate.subject.replaceAll("\n", ", ")}) is none`;
  }
  return undefined;
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
