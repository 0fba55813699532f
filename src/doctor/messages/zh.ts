import type { Catalogue } from './message.ts';

/** Chinese, simplified. */
export const zh: Catalogue = {
  words: {
    means: '含义',
    change: '修改',
    healthy: '没有需要修改的地方。',
    oneFault: '一处故障。',
    faults: '{count} 处故障。',
  },
  findings: {
    // --- this host -------------------------------------------------------------------------------------

    // --- a server, seen from outside -------------------------------------------------------------------
  },
};
