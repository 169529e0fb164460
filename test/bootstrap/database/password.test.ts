import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { scramVerifier } from "../../../bootstrap/database/password.ts";

test("the verifier signs the example of RFC 7677 as the RFC does", () => {
  const verifier = scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
  const [, salt, , serverKey] = /^SCRAM-SHA-256\$4096:(.+)\$(.+):(.+)$/.exec(verifier) ?? [];
  expect(salt).toBe("W22ZaJ0SNY7soEsUEjb6gQ==");
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const signature = createHmac("sha256", Buffer.from(serverKey ?? "", "base64")).update(message);
  expect(signature.digest("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

test("two verifiers of one password differ, and neither contains the password", () => {
  const [one, two] = [scramVerifier("s3cret"), scramVerifier("s3cret")];
  expect(one).not.toBe(two);
  expect(one).not.toContain("s3cret");
});

test("refuses a password with other characters than printable ASCII, and does not show the password", () => {
  for (const password of ["pässword", "two words", ""])
    expect(() => scramVerifier(password)).toThrow(
      /must contain only printable ASCII characters and no spaces$/,
    );
});
