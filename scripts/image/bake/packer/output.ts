/** One line of `packer build -machine-readable`: `time,target,type,data…` with commas and newlines escaped. */
export type PackerEvent =
  | { readonly kind: "say" | "message" | "error"; readonly text: string }
  | { readonly kind: "artifact"; readonly region: string; readonly imageId: string };

function unescape(text: string): string {
  return text.replaceAll("%!(PACKER_COMMA)", ",").replaceAll("\\n", "\n").replaceAll("\\r", "").trimEnd();
}

const levels = ["say", "message", "error"] as const;

/** @returns undefined for a line that contains neither text nor an image id */
export function parsePackerLine(line: string): PackerEvent | undefined {
  const [, , type, ...data] = line.split(",");
  const [first = "", second = "", third = ""] = data.map(unescape);
  if (type === "ui") {
    const kind = levels.find((level) => level === first);
    return kind && { kind, text: second };
  }
  if (type === "error") return { kind: "error", text: first };
  if (type === "artifact" && second === "id") {
    const [region = "", imageId = ""] = third.split(":");
    return { kind: "artifact", region, imageId };
  }
  return undefined;
}

const phases: readonly (readonly [pattern: RegExp, phase: string])[] = [
  [/Prevalidating|Found Image ID/, "source image"],
  [
    /Creating temporary (?:keypair|RSA|ED25519|ECDSA)|Creating temporary security group/,
    "key and security group",
  ],
  [/Launching a source AWS instance/, "builder instance"],
  [/Waiting for SSH|Using SSH communicator/, "SSH"],
  [/Uploading .*=> /, "upload"],
  [/Provisioning with shell script: .*\/\d+-([\w-]+)\.sh/, "provision: $1"],
  [/Stopping the source instance/, "stop"],
  [/Creating (?:unencrypted |encrypted )?AMI|AMI: ami-/, "create image"],
  [/Terminating the source AWS instance/, "clean up"],
];

/** The phase that starts with a line of Packer; undefined while the current phase continues. */
export function phaseOf(text: string): string | undefined {
  for (const [pattern, phase] of phases) {
    const match = pattern.exec(text);
    if (match) return phase.replace("$1", match[1] ?? "");
  }
  return undefined;
}

/** Whether Packer reports an error or a cancellation, and cleans up after this line. */
export function isFailureLine(text: string): boolean {
  return /^(Provisioning step had errors|Step ".*" (errored|failed)|Error |Cleanly cancelled|Cancelling build)/.test(
    text,
  );
}

/** Whether a line contains a fact for the manifest. People do not see these lines. */
export function isForManifest(text: string): boolean {
  return text.startsWith("ECLAIR-AMI-");
}
