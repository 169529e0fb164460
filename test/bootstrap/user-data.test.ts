import { expect, test } from "vitest";
import { parseUserData } from "../../bootstrap/config/image-test.ts";

test("an image test is read", () => {
  const text = "apiVersion: eclair-ami/v1\nkind: ImageTest\nid: bake-1\npeer: 100.64.8.20:18444\n";
  expect(parseUserData(text)).toEqual({
    apiVersion: "eclair-ami/v1",
    kind: "ImageTest",
    id: "bake-1",
    peer: "100.64.8.20:18444",
  });
});

test.each(["", "#!/bin/sh\necho hi\n", "#cloud-config\npackages: [x]\n", "a: [unclosed", "just words"])(
  "user-data that is not ours starts nothing: %j",
  (text) => {
    expect(parseUserData(text)).toBeUndefined();
  },
);

test("a peer that could break out of its line is refused", () => {
  const text = 'apiVersion: eclair-ami/v1\nkind: ImageTest\nid: a\npeer: "1.2.3.4:1\\nrpcauth=x"\n';
  expect(() => parseUserData(text)).toThrow(/peer/);
});

test("an unknown key is refused", () => {
  expect(() => parseUserData("apiVersion: eclair-ami/v1\nkind: ImageTest\nid: a\nseed: x\n")).toThrow(/seed/);
});
