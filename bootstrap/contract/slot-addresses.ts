/** The loopback addresses of a host's two slots for an Eclair: of the gates, and of the Eclairs behind a door. */
export const slotAddresses = { a: "127.0.0.2", b: "127.0.0.3" } as const;
