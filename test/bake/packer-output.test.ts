import { expect, test } from "vitest";
import { isGivingUp, parsePackerLine, phaseOf } from "../../scripts/bake/packer-output.ts";

test("a line for people is unescaped", () => {
  expect(parsePackerLine("1795399474,,ui,say,==> amazon-ebs.eclair: a%!(PACKER_COMMA) b\\nc")).toEqual({
    kind: "say",
    text: "==> amazon-ebs.eclair: a, b\nc",
  });
});

test("the artifact's line gives region and image id", () => {
  expect(parsePackerLine("1795399474,amazon-ebs.eclair,artifact,0,id,us-east-1:ami-0123")).toEqual({
    kind: "artifact",
    region: "us-east-1",
    imageId: "ami-0123",
  });
  expect(
    parsePackerLine("1795399474,amazon-ebs.eclair,artifact,0,builder-id,mitchellh.amazonebs"),
  ).toBeUndefined();
});

test.each([
  ["Launching a source AWS instance...", "builder instance"],
  ["Provisioning with shell script: /a/b/10-packages.sh", "provision: packages"],
  ["Stopping the source instance...", "stop"],
  ["Get:1 http://deb.debian.org", undefined],
])("%s begins the phase %s", (line, phase) => {
  expect(phaseOf(line)).toBe(phase);
});

test("what comes after the provisioning has failed is clean-up, not the cause", () => {
  expect(isGivingUp("Provisioning step had errors: Running the cleanup provisioner, if present...")).toBe(
    true,
  );
  expect(isGivingUp("E: Unable to locate package")).toBe(false);
});
