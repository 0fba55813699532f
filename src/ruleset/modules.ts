import { commented, fileOf, type RulesetFile } from './file.ts';
import { usesPinhole, type Plan, type RulesetOptions } from './plan.ts';

/** What the kernel loads at start, with what options. */
export function modules({ heading, watch, options }: Plan): RulesetFile[] {
  const helps = watch.length > 0;
  const used = usesOf(options);
  const loads = helps ? ['nf_conntrack_ftp', 'nf_nat_ftp'] : (used?.loads ?? []);
  return [
    fileOf('etc/modules-load.d/ftp.conf', [
      ...commented(heading.slice(0, 1)),
      ...(helps
        ? ['# In this order: the second rewrites what the first recognises.']
        : [
            used
              ? `# What ${used.what} uses; a kernel that has them built in says nothing.`
              : `# ${usesPinhole(options) ? 'Pinhole' : 'A server with open passive ports'} needs no module.`,
          ]),
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
            usesPinhole(options)
              ? "# The kernel's helper and Pinhole would both rewrite: it is not loaded by its alias."
              : '# Nothing is left for a helper to open: it is not loaded by its alias.',
            'blacklist nf_conntrack_ftp',
            'blacklist nf_nat_ftp',
          ]),
    ]),
  ];
}

/** What of Pinhole takes modules, and which; undefined where nothing does. */
function usesOf({
  plane,
  keepClientAddress,
  deployment,
}: RulesetOptions): { readonly what: string; readonly loads: readonly string[] } | undefined {
  const translation = ['nf_tables', 'nft_ct', 'nft_nat'];
  // Connections that the kernel carries are followed.
  if (plane === 'kernel') return { what: '--plane kernel', loads: [...translation, 'nf_conntrack_netlink'] };
  if (keepClientAddress) return { what: '--keep-client-address', loads: translation };
  if (deployment === 'gateway-intercept') return { what: '--intercept', loads: translation };
  return undefined;
}
