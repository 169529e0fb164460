/** A script that fills the file system of a file. It fails when space is left. */
export const fillFileSystem = (file: string): string =>
  `dd if=/dev/zero of=${file} bs=1M 2>/dev/null; sync; [ "$(df --output=avail ${file} | tail -n 1)" -lt 1024 ]`;
