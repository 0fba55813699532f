/** The names of old kernels, which still work as others of the modules: lsmod shows the new ones. */
const older: ReadonlyMap<string, string> = new Map([
  ['ip_conntrack_ftp', 'nf_conntrack_ftp'],
  ['ip_nat_ftp', 'nf_nat_ftp'],
]);

/** The kernel's helper that finds the announcements, and the one that rewrites them. */
export const helperModule = 'nf_conntrack_ftp';
export const natHelperModule = 'nf_nat_ftp';

export function moduleNamed(name: string): string {
  return older.get(name) ?? name;
}

/**
 * Which modules a kernel has: /proc/modules or lsmod's output, the name first, or modules.builtin with lines
 * `kernel/net/netfilter/nf_conntrack_ftp.ko`.
 */
export function readModules(text: string): Set<string> {
  const names = text.split('\n').map((line) => {
    const [word = ''] = line.trim().split(/\s/, 1);
    const file = word.slice(word.lastIndexOf('/') + 1);
    return moduleNamed(file.replace(/\.ko$/, '').replaceAll('-', '_'));
  });
  return new Set(names.filter((name) => name !== '' && name !== 'Module'));
}
