/** The major number in Linux's encoding of a device. */
export const majorOf = (device: number): number => (device >> 8) & 0xfff;

/** The minor number in Linux's encoding of a device. */
export const minorOf = (device: number): number => (device & 0xff) | ((device >> 12) & 0xfff00);
