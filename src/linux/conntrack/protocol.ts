/** The numbers of linux/netfilter/nfnetlink_conntrack.h that messages and the filter of events have in common. */

/** With ctnetlink's number among netfilter's subsystems, 1, in the higher byte. */
export const type = { new: 0x100, get: 0x101, destroy: 0x102, error: 2, done: 3 } as const;
export const flag = { request: 1, acknowledge: 4, list: 0x300, create: 0x400 } as const;
export const attribute = {
  original: 1,
  protocolState: 4,
  mark: 8,
  sent: 9,
  returned: 10,
  id: 12,
  markMask: 21,
} as const;
export const inProtocolState = { tcp: 1 } as const;
export const inTcp = { state: 1 } as const;

/** Of TCP, as their numbers are. */
export const states = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;
