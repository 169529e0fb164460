/** The schemas that Eclair 0.13.0 and all later versions have in common. */
export const commonSchemas = { liquidity: 1, network: 4, offers: 1, payments: 8, peers: 5, pending_relay: 3 };
