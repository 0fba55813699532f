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
    'passive-range-inverted': {
      seen: 'passive range from {from} to {to}: the minimum is above the maximum',
      means:
        'no server takes that as a range: vsftpd drops the maximum and uses any port from {from} to 65535, ProFTPD and Pure-FTPd do not start. A firewall opens other ports than those that clients are told',
      change: 'swap the two numbers for {program}, and restart it',
    },
    'passive-range-set': { seen: '{program}: passive range {range}' },
    'passive-range-missing': {
      seen: '{program} has no passive range with two ends',
      means: 'it tells clients any port of a large range, and a firewall would have to open all of them',
      change: 'give {program} a small range such as {range}, and open only that',
    },
    'passive-disabled': {
      seen: '{program}: passive mode is switched off',
      means: 'most clients use it by default, and behind a NAT they have no other mode',
      change: 'switch it on, unless every client can be connected to',
    },
    'port-20-unprivileged': {
      seen: '{program}: active data connections come from port 20, and {setting} takes away the right to it',
      means: 'only root may use port 20: each transfer in active mode fails',
      change: "give up port 20 for active mode, or run with root's rights",
    },
    'port-20-not-root': {
      seen: '{program} is to open active data connections from port 20, and runs as user {user}',
      means: 'only root may use port 20: each transfer in active mode fails',
      change: 'give up port 20 for active mode, or let root start {program}',
    },
    'vsftpd-spaces': {
      seen: 'a space next to the =',
      means: 'vsftpd takes it for a part of the name or the value, and does not start (500 OOPS)',
      change: 'write the line without it',
    },
    'address-not-resolved': {
      seen: 'pasv_address is the name {name}, and pasv_addr_resolve is off',
      means: 'vsftpd takes names only with it, and refuses passive mode',
      change: 'let it resolve the name, or write an address',
    },
    'control-port-closed': {
      seen: 'the firewall closes port {port}, the control port of {program}',
      means: 'clients cannot even connect',
      change: 'open it',
    },
    'related-without-helper': {
      seen: 'the passive ports {range} are closed, RELATED is accepted, and no helper is attached to port {port}',
      means:
        'kernels since 4.7 attach no helper by themselves: no data connection is ever RELATED, and passive mode hangs at the first listing',
      change:
        'open a passive range, and no more (the first lines; right for TLS too), or attach the helper (the last ones)',
    },
    'passive-range-closed': {
      seen: 'the firewall closes {ports} of the passive range {range} ({settings})',
      means: 'clients log in at port {port}, and passive mode of {program} hangs at the first listing',
      change: 'open the range',
    },
    'helper-sees-no-tls': {
      seen: "{program} offers TLS ({setting}), and only the kernel's helper opens its data connections",
      means:
        'the helper cannot read an encrypted dialogue: with TLS, passive mode hangs at the first listing',
      change: 'open the passive range {range} itself',
    },
    'active-range-closed': {
      seen: 'the firewall closes the ports {range} (active-ports)',
      means: 'the server cannot connect to Pinhole, and active mode fails',
      change: "open them, for the server's address alone where you can",
    },
    'firewall-opens-too-much': {
      seen: 'the rule opens {opened}, and {program} uses only {range} of that',
      means: 'whatever else listens on those ports is open to everybody',
      change: 'open only what is used',
    },
    'firewall-lets-all-in': {
      seen: 'the firewall lets everything in',
      means: 'FTP works through it, and so does all else that listens on this host',
      change:
        'nothing for FTP. For a firewall that lets in FTP and SSH alone, replace the rules for incoming connections by these; add what else is served first',
    },
    'passive-range-open': { seen: 'the firewall lets in port {port} and the passive range {range}' },
    'ip-forward-off': {
      seen: 'net.ipv4.ip_forward is 0',
      means: 'this host is to lead FTP on to another one, and the kernel forwards nothing',
      change: 'switch forwarding on, and write it to /etc/sysctl.d too',
    },
    'forward-drops': {
      seen: 'port {port} is led on to {to}, and the forward chain drops it',
      means: 'clients cannot connect: the address is rewritten, and the packet thrown away',
      change: 'let it through the forward chain',
    },
    'forward-closed': {
      seen: 'the forward chain lets no FTP through (port 21)',
      means:
        'hosts behind this one cannot be reached by FTP, and their clients reach no server; FTP to this host itself is not concerned',
      change: 'nothing, if that is meant; else let it through',
    },
    'forwarding-fine': { seen: 'port {port} is led on to {to}, with its data connections' },
    'only-control-port-forwarded': {
      seen: 'only port {port} is led on to {to}, and no helper is attached',
      means: 'data connections of passive mode arrive here, where nobody expects them',
      change: "attach the helper, or lead the server's passive range on too, or let Pinhole stand in between",
    },
    'passive-range-not-forwarded': {
      seen: 'port {port} is led on to {to}, the passive range {range} is not',
      means: 'data connections of passive mode arrive here, where nobody expects them',
      change: 'lead the range on, to the same port numbers',
    },
    'forward-drops-pinhole': {
      seen: "the forward chain drops the data connections of Pinhole's kernel plane",
      means: 'they are forwarded, and have the mark {mark}: transfers hang',
      change: 'accept the mark',
    },
    'address-missing': {
      seen: '{program} is behind a NAT that leads on to {to}, and is not told the address outside',
      means: 'clients are told {to} for passive mode, which they cannot reach',
      change: 'tell it the address that clients connect to',
    },
    'address-private': {
      seen: '{program} tells clients the private address {address}, and is behind a NAT',
      means: 'clients outside cannot reach it, and passive mode fails',
      change: 'tell them the address that they connect to',
    },
    'address-may-be-missing': {
      seen: 'the address here is {address}, a private one, and {program} is told no other',
      means:
        'clients beyond a NAT are told {address} for passive mode, which they cannot reach; clients inside are well served',
      change: 'if there are clients outside, tell {program} the address that they connect to',
    },
    'helper-and-pinhole': {
      seen: "the kernel's helper watches port {port}, which is Pinhole's",
      means: 'both rewrite the same dialogue, and one undoes what the other has done',
      change: 'take the helper away from this port',
    },
    'helper-module-missing': {
      seen: "the kernel's helper is to be used, and {module} is neither loaded nor built in",
      means: 'data connections are not recognised, or not rewritten behind a NAT',
      change: 'load it, now and at each start',
    },
    'helper-loaded': { seen: "the kernel's helper {module} is there, and attached" },
    'helper-by-sysctl': {
      seen: 'net.netfilter.nf_conntrack_helper is 1',
      means:
        'the kernel attaches its helpers to every connection to their ports, to those of strangers too; kernels since 6.0 have no such setting',
      change: 'attach the helper by a rule, then switch this off',
    },
    'helper-unused': {
      seen: '{module} is loaded, and no rule attaches it to port {port}',
      means:
        'kernels since 4.7 do not attach it by themselves: it does nothing. Where the passive range is open that is no harm',
      change: 'attach it only if data connections are to be let in by RELATED',
    },
    'source-port-for-destination': {
      seen: 'the rule matches {wrong}, the port that a client comes from',
      means:
        'clients connect to port {port} and come from any other: the rule lets in none of them, but whoever chooses to come from port {port}, to every port',
      change: 'match {right}',
    },
    'rule-without-target': {
      seen: 'a rule of {chain} ends at -j, without a target',
      means: 'iptables-restore refuses the whole file at this line: none of its rules is loaded',
      change: 'say what is to be done with what matches',
    },
    'modules-line-overridden': {
      seen: 'IPTABLES_MODULES="{modules}" is overridden by line {last}',
      means: 'the file is read by a shell, and the last line holds: {modules} is not loaded',
      change: 'name all modules in one line',
    },
    'nat-module-first': {
      seen: '{first} stands before {second}',
      means:
        'it builds on {second}: a loader without dependencies fails at it, and options of {second} come too late',
      change: 'name {second} first',
    },
    'modules-line-fine': { seen: 'IPTABLES_MODULES: {modules}' },
    'nobody-listens': {
      seen: 'nobody listens on port {port}, which {program} is set to',
      means: 'clients get "connection refused"',
      change: 'start {program}; if it does not start, its log says why',
    },
    'pinhole-port-taken': {
      seen: "{program} listens on port {port}, which is to be Pinhole's",
      means: 'Pinhole cannot listen there, and clients reach {program} without it',
      change: "move {program} to another port, and name that as Pinhole's server",
    },
    'listens-on-loopback': {
      seen: '{program} listens on port {port} of the loopback address alone',
      means: 'no other host can connect',
      change: 'let it listen on the address that clients connect to',
    },
    'somebody-listens': { seen: '{program} listens on port {port}' },
    'passive-port-taken': {
      seen: '{program} listens on port {port}, inside the passive range {range}',
      means: 'the firewall opens that port for data connections, and so {program} to everybody',
      change: 'move one of the two',
    },
    'pinhole-config-refused': {
      seen: 'Pinhole refuses this configuration',
      means: 'it does not start; its ports are not examined here',
      change: 'see what it says',
    },
    'no-server-found': {
      seen: 'no settings of vsftpd, ProFTPD, Pure-FTPd or Pinhole to examine',
      means: 'passive ranges are not known: only the rest was examined',
      change: 'name a file of settings, if there is one elsewhere',
    },
    'program-missing': {
      seen: 'not examined: {program} is not installed',
      means: 'what it would show is not known here',
      change: 'nothing, where this host does not use it',
    },
    'rights-missing': {
      seen: 'not examined: {what} may not be read by this user',
      means: 'what is in it is not known here',
      change: 'run this as root',
    },
    'program-failed': {
      seen: 'not examined: {program} failed ({code})',
      means: 'what it would show is not known here',
      change: 'run it by hand, and see what it says',
    },

    // --- a server, seen from outside -------------------------------------------------------------------
  },
} as const;
