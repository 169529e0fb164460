import { arch } from "node:os";

/** Debian's AWS account: https://wiki.debian.org/Cloud/AmazonEC2Image. */
export const debianOwner = "136693071363";

export const debianImageId = "ami-0deb1a00000000013";

export const debianRootGibibytes = 8;

/** The device names of a root volume: the name in Debian's AMIs, and the name that moto gives to every instance. */
export const rootDeviceNames: readonly (string | undefined)[] = ["/dev/xvda", "/dev/sda1"];

/** The lab's Debian AMI, in the format of moto's list of AMIs. */
export function debianAmi(): Readonly<Record<string, unknown>> {
  const [debianArch, ec2Arch] = arch() === "arm64" ? ["arm64", "arm64"] : ["amd64", "x86_64"];
  return {
    ami_id: debianImageId,
    name: `debian-13-${debianArch}-20261101-0001`,
    description: "Debian 13 (trixie), built by the lab with mmdebstrap",
    owner_id: debianOwner,
    architecture: ec2Arch,
    creation_date: "2026-11-01T00:00:00.000Z",
    hypervisor: "xen",
    image_location: `amazon/debian-13-${debianArch}-20261101-0001`,
    image_type: "machine",
    platform: null,
    public: true,
    root_device_name: "/dev/xvda",
    root_device_type: "ebs",
    sriov: "simple",
    state: "available",
    virtualization_type: "hvm",
  };
}
