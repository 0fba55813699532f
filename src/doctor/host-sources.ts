/** What there is to read of a host: the text of each, undefined where it is not there or was not given. */
export interface HostSources {
  readonly vsftpd?: SourceText | undefined;
  readonly proftpd?: SourceText | undefined;
  /** Debian's folder of one-line files as `Name value` lines, pure-ftpd.conf, or a command line. */
  readonly pureFtpd?: SourceText | undefined;
  /** As iptables-save prints it, or /etc/sysconfig/iptables. */
  readonly iptables?: SourceText | undefined;
  /** The same of iptables-legacy-save, where both forms have rules. */
  readonly legacyIptables?: SourceText | undefined;
  /** The file of rules beside those that are loaded: it is read for faults of single lines alone. */
  readonly savedIptables?: SourceText | undefined;
  readonly ip6tables?: SourceText | undefined;
  /** As `nft list ruleset` prints it. */
  readonly nftables?: SourceText | undefined;
  /** The same as `nft -j list ruleset` prints it, which is read first; the text has the lines. */
  readonly nftablesJson?: SourceText | undefined;
  /** /etc/sysconfig/iptables-config */
  readonly iptablesConfig?: SourceText | undefined;
  /** /proc/modules, or what lsmod prints; lines of modules.builtin too. */
  readonly modules?: SourceText | undefined;
  /** Lines `net.ipv4.ip_forward = 0`, as `sysctl -a` prints them. */
  readonly sysctl?: SourceText | undefined;
  /** As `ss -ltnp` prints it. */
  readonly listening?: SourceText | undefined;
  /** As `ip address` prints it. */
  readonly addresses?: SourceText | undefined;
  /** Pinhole's own configuration file. */
  readonly pinhole?: SourceText | undefined;
  /** The command line of a Pinhole that runs here: an argument a line, before them its environment (`PINHOLE_X=...`). */
  readonly pinholeCommand?: SourceText | undefined;
  /** The others that run here, each with the file of its configuration if it has one. */
  readonly otherPinholes?: readonly RunningPinhole[];
}

export interface RunningPinhole {
  readonly command: SourceText;
  readonly config: SourceText | undefined;
}

/** A text, and its name in findings. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** Where each line came from, where several files were put together. */
  readonly origins?: readonly { readonly file: string; readonly line: number }[];
}
