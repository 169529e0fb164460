/** Another host takes over within this time after a hand-over or an accepted switchover; after it, this host may run Eclair again. */
export const takeoverSeconds = 15;
/** When no other host took over, the node does not leave this host again for this time. */
export const retrySeconds = 600;
