import type { Command } from "commander";
import { Option } from "commander";
import { arch } from "node:os";
import { defaultStateFolder, labPlace } from "../lab/place.ts";
import { bringUp } from "../lab/up.ts";
import { labTarget } from "../target/target.ts";
import { bake } from "./bake.ts";

/** `npm start`: the lab up, an image baked and tested, and how to go on. */
export function addStart(program: Command): void {
  program
    .command("start")
    .description("bring the lab up and bake an image in it (what `npm start` does)")
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .addOption(
      new Option("--eclair <file>", "an Eclair release zip in place of the pinned one").env("ECLAIR_ZIP"),
    )
    .option("--fallback", "do not try to reach the releases", false)
    .action(async (flags: { state: string; eclair?: string; fallback: boolean }) => {
      const place = labPlace(flags.state);
      await bringUp(place);
      await bake(labTarget(place), {
        ...flags,
        target: "lab",
        arch: arch() === "arm64" ? "arm64" : "x86_64",
        rootSize: 8,
        keep: false,
        json: false,
      });
      console.log(`
The lab stays up. To look around:
  ./eclair-ami lab status        what runs
  ./eclair-ami images            the images baked so far
  ./eclair-ami bake              bake another
To stop it: ./eclair-ami lab down`);
    });
}
