import { commented, fileOf, type RulesetFile } from './file.ts';
import type { Plan } from './plan.ts';

/** What the kernel loads at start, with what options. */
export function modules({ heading, watch, options }: Plan): RulesetFile[] {
  const helps = watch.length > 0;
  const loads = helps ? ['nf_conntrack_ftp', 'nf_nat_ftp'] : options.plane === 'kernel' ? kernelPlane : [];
  return [
    fileOf('etc/modules-load.d/ftp.conf', [
      ...commented(heading.slice(0, 1)),
      ...(helps
        ? ['# In this order: the second rewrites what the first recognises.']
        : loads.length > 0
          ? ['# What --plane kernel uses; a kernel that has them built in says nothing.']
          : ['# Pinhole needs no module.']),
      ...loads,
    ]),
    fileOf('etc/modprobe.d/ftp.conf', [
      ...commented(heading.slice(0, 1)),
      ...(helps
        ? [
            '# Whoever loads the first gets the second, or addresses are recognised and not rewritten.',
            'softdep nf_conntrack_ftp post: nf_nat_ftp',
          ]
        : [
            "# The kernel's helper and Pinhole would both rewrite: it is not loaded by its alias.",
            'blacklist nf_conntrack_ftp',
            'blacklist nf_nat_ftp',
          ]),
    ]),
  ];
}

const kernelPlane = ['nf_tables', 'nft_ct', 'nft_nat', 'nf_conntrack_netlink'];
