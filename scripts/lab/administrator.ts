/** Begins the access key of an administrator; the id of the account follows. The length is that of a real access key. */
const prefix = "LABADMIN";

/** The credentials of the administrator of an account in the lab. The lab checks no policy for an administrator. */
export const administrator = (accountId: string) => ({
  accessKeyId: `${prefix}${accountId}`,
  secretAccessKey: "lab",
});

/** The account of an administrator's access key; undefined for another key. */
export const accountOfAdministrator = (accessKeyId: string): string | undefined =>
  new RegExp(`^${prefix}(\\d{12})$`).exec(accessKeyId)?.[1];
