import { expect, test } from "vitest";
import { isFailureLine, parsePackerLine, phaseOf } from "../../../../../scripts/image/bake/packer/output.ts";

test("unescapes a line for people", () => {
  expect(parsePackerLine("1795399474,,ui,say,==> amazon-ebs.eclair: a%!(PACKER_COMMA) b\\nc")).toEqual({
    kind: "say",
    text: "==> amazon-ebs.eclair: a, b\nc",
  });
});

test("reads region and image id of the artifact", () => {
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
])('"%s" starts the phase %s', (line, phase) => {
  expect(phaseOf(line)).toBe(phase);
});

test("recognises the line after which Packer cleans up", () => {
  expect(isFailureLine("Provisioning step had errors: Running the cleanup provisioner, if present...")).toBe(
    true,
  );
  expect(isFailureLine("E: Unable to locate package")).toBe(false);
});
