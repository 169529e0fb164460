import { EC2Client } from "@aws-sdk/client-ec2";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import type { Architecture } from "../../../infra/architecture.ts";
import type { Manifest } from "../../image/manifest.ts";
import { inRegion } from "../../target/scoped.ts";
import type { Target } from "../../target/target.ts";
import type { Release, ReleaseRegion } from "../document/schema.ts";
import type { ReleaseStore } from "../store/store.ts";
import {
  updateVersion,
  versionFile,
  VersionDocument,
  type ArchitectureRelease,
  type PublishedImage,
} from "../store/version.ts";

export type PublishOptions = {
  readonly target: Target;
  readonly release: Release;
  readonly store: ReleaseStore;
  readonly manifest: Manifest;
  /** The text of the manifest's file. */
  readonly manifestText: string;
  /** A version that exists or is new; by default, the next number of the Eclair in the image. */
  readonly version?: string;
  readonly skipTest: boolean;
  readonly by: string;
  readonly signal: AbortSignal;
};

/** The publication of one image. Each task adds its results for the next tasks. */
export class Publication {
  readonly options: PublishOptions;
  /** Why a region failed. The next tasks leave that region out. */
  readonly failures = new Map<string, unknown>();
  version = "";

  constructor(options: PublishOptions) {
    this.options = options;
  }

  get architecture(): Architecture {
    return this.options.manifest.image.architecture;
  }

  get regions(): readonly string[] {
    return Object.keys(this.options.release.regions).filter((region) => !this.failures.has(region));
  }

  regionOf(name: string): ReleaseRegion {
    const region = this.options.release.regions[name];
    if (region === undefined) throw new Error(`the release has no region ${name}`);
    return region;
  }

  ec2In(region: string): EC2Client {
    return this.options.target.client(EC2Client, { region });
  }

  /** The target in a region, for an image test. */
  targetIn(region: string): Target {
    const { target } = this.options;
    const { subnetId, securityGroupIds, instanceProfile, instanceTypes } = this.regionOf(region).test;
    return inRegion(target, region, {
      type: instanceTypes[this.architecture],
      securityGroupIds,
      ...(subnetId !== undefined && { subnetId }),
      ...(instanceProfile !== undefined && { instanceProfile }),
    });
  }

  /** Runs a step in all regions that have not failed, at the same time. A region that fails does not stop the others. */
  async inEachRegion(
    step: (region: string) => Promise<void>,
    onFailure: (line: string) => void,
  ): Promise<void> {
    const { signal } = this.options;
    await Promise.all(
      this.regions.map(async (region) => {
        try {
          await step(region);
        } catch (error) {
          signal.throwIfAborted();
          this.failures.set(region, error);
          onFailure(`${region}: ${messageOf(error)}`);
        }
      }),
    );
  }

  async document(): Promise<VersionDocument> {
    const stored = await this.options.store.read(versionFile(this.version), VersionDocument);
    if (stored === undefined) throw new Error(`the document of ${this.version} does not exist`);
    return stored.value;
  }

  /** The part of the version's document that belongs to this image. */
  async recorded(): Promise<ArchitectureRelease> {
    const recorded = (await this.document()).architectures[this.architecture];
    if (recorded === undefined) throw new Error(`${this.version} has no ${this.architecture} image`);
    return recorded;
  }

  async imageIn(region: string): Promise<PublishedImage> {
    const image = (await this.recorded()).regions[region];
    if (image === undefined) throw new Error(`${this.version} has no image in ${region}`);
    return image;
  }

  /** Changes the part of the version's document that belongs to this image. */
  async record(change: (recorded: ArchitectureRelease) => ArchitectureRelease): Promise<void> {
    const { architecture } = this;
    await updateVersion(this.options.store, this.version, (document) => {
      const current = document.architectures[architecture];
      if (current === undefined) throw new Error(`${this.version} has no ${architecture} image`);
      return { ...document, architectures: { ...document.architectures, [architecture]: change(current) } };
    });
  }

  /** Changes what is recorded about the image of a region. */
  async updateImage(region: string, change: (image: PublishedImage) => PublishedImage): Promise<void> {
    await this.recordImage(region, (image) => {
      if (image === undefined) throw new Error(`${this.version} has no image in ${region}`);
      return change(image);
    });
  }

  /** Records the image of a region. @param change gets undefined when none is recorded */
  async recordImage(
    region: string,
    change: (image: PublishedImage | undefined) => PublishedImage,
  ): Promise<void> {
    await this.record((current) => ({
      ...current,
      regions: { ...current.regions, [region]: change(current.regions[region]) },
    }));
  }
}
