/** English, from which the others are translated. */
export const en = {
  words: {
    means: 'means',
    change: 'change',
    healthy: 'Nothing has to be changed.',
    oneFault: 'One fault.',
    faults: '{count} faults.',
  },
  findings: {
    // --- this host -------------------------------------------------------------------------------------

    // --- a server, seen from outside -------------------------------------------------------------------
  },
} as const;
