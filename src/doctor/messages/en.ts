/** English, from which the others are translated. */
export const en = {
  words: {
    means: 'means',
    change: 'change',
    healthy: 'Nothing needs to be changed.',
    asFarAsSeen: 'Healthy as far as seen: no fault was found, but something that matters is not known.',
    notKnown: 'Not known:',
    beyondHost:
      'A firewall in front of the host (the security group of a cloud, the provider, a router) is not seen on it: run npx pinhole doctor ftp://HOST from outside too.',
    noneSoFar: 'No faults so far.',
    oneFault: 'One fault.',
    faults: '{count} faults.',
    again: 'as above',
    tryControl: 'connecting to {host} port {port}, and waiting for the greeting',
    tryLogin: 'logging in as {user}',
    tryData: '{command}: a data connection and a listing',
    tryRange: 'PASV again and again: how many ports there are',
    tryQuestions: 'asking which commands the server has',
    tryTls: 'AUTH TLS: passive mode over TLS',
    tryIdle: 'a silence of {seconds} s on a control connection',
  },
  findings: {
    // --- this host -------------------------------------------------------------------------------------
    'passive-range-inverted': {
      seen: 'passive range from {from} to {to}: the minimum is above the maximum',
      means:
        'no server accepts that as a range: vsftpd ignores the maximum and uses any port from {from} to 65535; ProFTPD and Pure-FTPd do not start. The firewall opens different ports from those that clients are told',
      change: 'swap the two numbers for {program} and restart it',
    },
    'passive-range-set': { seen: '{program}: passive range {range}' },
    'passive-range-missing': {
      seen: '{program} has no passive range with a lower and an upper bound',
      means: 'it announces any port of a large range, and a firewall would have to open all of them',
      change: 'give {program} a small range such as {range}, and open only that range',
    },
    'passive-disabled': {
      seen: '{program}: passive mode is turned off',
      means: 'most clients use it by default, and clients behind a NAT have no other mode',
      change: 'turn it on, unless the server can connect to every client',
    },
    'port-20-unprivileged': {
      seen: '{program}: active data connections come from port {port}, and {setting} drops the privilege to use it',
      means: 'only root may use port {port}: every transfer in active mode fails',
      change: 'give up port {port} for active mode, or run with root privileges',
    },
    'port-20-not-root': {
      seen: '{program} is configured to open active data connections from port {port}, but runs as user {user}',
      means: 'only root may use port {port}: every transfer in active mode fails',
      change: 'give up port {port} for active mode, or start {program} as root',
    },
    'vsftpd-spaces': {
      seen: 'a space where vsftpd allows none',
      means: 'it reads the space as part of the name, or of YES or NO, and does not start (500 OOPS)',
      change: 'remove the space from the line',
    },
    'vsftpd-line-ends': {
      seen: 'the line ends with CR LF, the Windows line ending',
      means: 'vsftpd reads the CR as part of YES or NO, and does not start (500 OOPS)',
      change: 'remove the CR from every line',
    },
    'address-not-resolved': {
      seen: 'pasv_address is the name {name}, but pasv_addr_resolve is off',
      means: 'vsftpd accepts a name only with pasv_addr_resolve, and refuses passive mode',
      change: 'turn on pasv_addr_resolve, or set an address',
    },
    'control-port-closed': {
      seen: 'the firewall blocks port {port}, the control port of {program}',
      means: 'clients cannot even connect',
      change: 'open it',
    },
    'related-without-helper': {
      seen: 'the firewall blocks {ports} of the passive ports {range}, RELATED is accepted, and no helper is attached to port {port}',
      means:
        'kernels since 4.7 attach no helper automatically: no data connection is ever RELATED, and passive mode hangs at the first listing',
      change:
        'either open a passive range and nothing more (the first lines; also right for TLS), or attach the helper (the last lines)',
    },
    'no-data-port-open': {
      seen: 'the firewall accepts port {port}, and none of the ports {range}, where passive ranges are; nor is RELATED accepted',
      means: 'whatever passive range the server has: clients log in, and the first listing hangs',
      change: 'give the server a passive range such as {suggested}, and open it',
    },
    'passive-range-closed': {
      seen: 'the firewall blocks {ports} of the passive range {range} ({settings})',
      means: 'clients log in on port {port}, and passive mode of {program} hangs at the first listing',
      change: 'open the range',
    },
    'helper-sees-no-tls': {
      seen: "{program} offers TLS ({setting}), and only the kernel's helper opens its data connections",
      means:
        'the helper cannot read an encrypted dialogue: with TLS, passive mode hangs at the first listing',
      change:
        'open the passive range {range} itself, or replace the helper by Pinhole and let it terminate TLS (--tls terminate, docs/ftps.md)',
    },
    'helper-blind-to-tls': {
      seen: "{program} offers TLS ({setting}), and the kernel's helper watches its port {port}",
      means:
        'after AUTH TLS the helper can read nothing: it opens no ports and rewrites no addresses. Whatever works over TLS works without it',
      change:
        'nothing, if the passive range is open and the announced address is right without the helper; otherwise replace it by Pinhole and let it terminate TLS (--tls terminate, docs/ftps.md)',
    },
    'tls-pass-other-range': {
      seen: "tls is pass, {program} uses the passive ports {range}, and Pinhole's passive-ports are {passive}",
      means:
        'each passive port of Pinhole leads to the same port number on the server: over TLS, clients are told ports that lead nowhere, and passive mode hangs',
      change: 'give both the same range',
    },
    'tls-pass-address-missing': {
      seen: 'tls is pass, and {program} announces its own address',
      means: "nothing rewrites its 227 after AUTH TLS: clients are told the server's internal address",
      change: 'make {program} announce the address on which clients reach Pinhole',
    },
    'tls-pass-address-private': {
      seen: 'tls is pass, and {program} announces {address}',
      means: 'that is an internal address, and nothing rewrites it after AUTH TLS: passive mode hangs',
      change: 'make {program} announce the address on which clients reach Pinhole',
    },
    'tls-data-demands-reuse': {
      seen: 'tls-data is server, and {program} requires data connections to resume the TLS session of the control connection ({setting})',
      means:
        'the client has that session with Pinhole, not with the server: the server refuses every protected transfer',
      change: 'remove the requirement, or let the TLS of data connections end at Pinhole',
    },
    'certificate-missing': {
      seen: 'this certificate or key file does not exist',
      means: 'Pinhole does not start without it; a running one keeps what it has read until it is restarted',
      change: "correct the path in Pinhole's configuration",
    },
    'certificate-unreadable': {
      seen: 'this certificate or key file cannot be read ({code})',
      means: 'Pinhole does not start without it; a running one keeps what it has read until it is restarted',
      change: "correct the path or the permissions for Pinhole's configuration",
    },
    'certificate-unusable': {
      seen: 'this file contains no PEM certificate, or no PEM key without a passphrase',
      means: 'Pinhole does not start with it',
      change: 'convert it to PEM, and remove the passphrase from a key',
    },
    'certificate-key-foreign': {
      seen: 'this is not the key of the first certificate in {cert}',
      means: 'Pinhole does not start with this pair',
      change: "name the matching key; the server's own certificate comes first in the file, before its chain",
    },
    'certificate-expired': {
      seen: 'the certificate has expired: {end}',
      means: 'clients warn their users or refuse to connect',
      change: 'renew it; Pinhole reloads it when the file changes',
    },
    'certificate-expiring': {
      seen: 'the certificate expires in {days} days: {end}',
      means: 'after that, clients warn their users or refuse to connect',
      change: 'renew it; Pinhole reloads it when the file changes',
    },
    'active-range-closed': {
      seen: 'the firewall blocks {ports} of the ports {range} (active-ports)',
      means: 'the server cannot connect to Pinhole, and active mode fails',
      change: "open them, if possible only for the server's address",
    },
    'firewall-opens-too-much': {
      seen: 'the rule opens {opened}, and {program} uses only {range}',
      means: 'anything else that listens on those ports is open to everybody',
      change: 'open only the ports that are used',
    },
    'firewall-lets-all-in': {
      seen: 'the firewall accepts all incoming connections',
      means: 'FTP works through it, and so does everything else that listens on this host',
      change:
        'nothing for FTP. For a firewall that accepts only FTP and SSH, replace the rules for incoming connections by these; first add whatever else this host serves',
    },
    'passive-range-open': { seen: 'the firewall accepts port {port} and the passive range {range}' },
    'ip-forward-off': {
      seen: 'net.ipv4.ip_forward is 0',
      means: 'this host is meant to forward FTP to another host, and the kernel forwards nothing',
      change: 'turn forwarding on, also in /etc/sysctl.d',
    },
    'forward-drops': {
      seen: 'port {port} is forwarded to {to}, and the forward chain drops it',
      means: 'clients cannot connect: the address is translated, and then the packet is dropped',
      change: 'accept it in the forward chain',
    },
    'forward-closed': {
      seen: 'the forward chain blocks FTP (port 21)',
      means:
        'hosts behind this one cannot be reached by FTP, and clients behind it reach no server; FTP to this host itself is not affected',
      change: 'nothing, if that is intended; otherwise accept it',
    },
    'forwarding-fine': { seen: 'port {port} is forwarded to {to}, with its data connections' },
    'only-control-port-forwarded': {
      seen: 'only port {port} is forwarded to {to}, and no helper is attached',
      means: 'passive data connections arrive at this host, where nothing expects them',
      change: "attach the helper, or forward the server's passive range too, or put Pinhole in between",
    },
    'passive-range-not-forwarded': {
      seen: 'port {port} is forwarded to {to}, but of the passive range {range} these ports are not: {ports}',
      means: 'passive data connections arrive at this host, where nothing expects them',
      change: 'forward the whole range, to the same host and port numbers',
    },
    'forward-drops-pinhole': {
      seen: "the forward chain drops {ports} of the ports {range} of Pinhole's kernel plane",
      means: 'data connections are forwarded with the mark {mark}: transfers hang',
      change: 'accept the mark in the forward chain',
    },
    'address-missing': {
      seen: '{program} is behind a NAT that forwards to {to}, and does not know its external address',
      means: 'clients are told {to} for passive mode, an address that they cannot reach',
      change: 'set the address that clients connect to',
    },
    'address-private': {
      seen: '{program} announces the private address {address}, and is behind a NAT',
      means: 'external clients cannot reach it, and passive mode fails',
      change: 'announce the address that clients connect to',
    },
    'control-port-closed-ipv6': {
      seen: 'the firewall blocks port {port} for IPv6',
      means: 'clients that connect by IPv6 get no answer; those of IPv4 are not affected',
      change: 'nothing, if the name of the server has no AAAA record; otherwise open the ports for IPv6 too',
    },
    'address-private-announced': {
      seen: '{program} announces the private address {address}; whether external clients connect is not known',
      means:
        'clients on the other side of a NAT cannot reach it in passive mode; internal clients are not affected',
      change: 'if there are external clients, announce the address that they connect to',
    },
    'address-may-be-missing': {
      seen: 'this host has the private address {address}, and {program} is set to announce no other; whether external clients connect is not known',
      means:
        'clients on the other side of a NAT are told {address} for passive mode, which they cannot reach; internal clients are not affected',
      change: 'if there are external clients, set the address that they connect to in {program}',
    },
    'helper-and-pinhole': {
      seen: "the kernel's helper watches port {port}, which belongs to Pinhole",
      means: 'both rewrite the same dialogue, and one undoes the work of the other',
      change: 'remove the helper from this port',
    },
    'helper-module-missing': {
      seen: "the rules use the kernel's helper, but {module} is neither loaded nor built in",
      means: 'data connections are not recognised, or are not translated behind a NAT',
      change: 'load it, now and at every boot',
    },
    'helper-loaded': { seen: "the kernel's helper {module} is loaded and attached" },
    'helper-by-sysctl': {
      seen: 'net.netfilter.nf_conntrack_helper is 1',
      means:
        'the kernel attaches its helpers to every connection to their ports, including those of strangers; kernels since 6.0 no longer have this setting',
      change: 'attach the helper by a rule, then turn this off',
    },
    'helper-unused': {
      seen: '{module} is loaded, and no rule attaches it to port {port}',
      means:
        'kernels since 4.7 do not attach it automatically: it does nothing. If the passive range is open, that does no harm',
      change: 'attach it only if data connections are to be accepted as RELATED',
    },
    'source-port-for-destination': {
      seen: "the rule matches {wrong}, the client's source port",
      means:
        'clients connect to port {port} from any source port: the rule accepts none of them, but accepts anybody who uses source port {port}, to every port',
      change: 'match {right}',
    },
    'rule-without-target': {
      seen: 'a rule of {chain} ends with -j, without a target',
      means: 'iptables-restore rejects the whole file at this line: none of its rules is loaded',
      change: 'add the target for matching packets',
    },
    'modules-line-overridden': {
      seen: 'IPTABLES_MODULES="{modules}" is overridden by line {last}',
      means: 'a shell reads the file, and the last line wins: {modules} is not loaded',
      change: 'list all modules in one line',
    },
    'nat-module-first': {
      seen: '{first} is listed before {second}',
      means:
        'it depends on {second}: a loader that does not resolve dependencies fails at it, and options for {second} come too late',
      change: 'list {second} first',
    },
    'modules-line-fine': { seen: 'IPTABLES_MODULES: {modules}' },
    'nobody-listens': {
      seen: 'nothing listens on port {port}, which {program} is configured to use',
      means: 'clients get "connection refused"',
      change: 'start {program}; if it does not start, see its log for the reason',
    },
    'pinhole-port-taken': {
      seen: '{program} listens on port {port}, which Pinhole is configured to use',
      means: 'Pinhole cannot listen there, and clients reach {program} without it',
      change: "move {program} to another port, and name that as Pinhole's server",
    },
    'listens-on-loopback': {
      seen: '{program} listens on port {port} of the loopback address only',
      means: 'no other host can connect',
      change: 'make it listen on the address that clients connect to',
    },
    'somebody-listens': { seen: '{program} listens on port {port}' },
    'passive-port-taken': {
      seen: '{program} listens on port {port}, inside the passive range {range}',
      means: 'the firewall opens that port for data connections, and with it {program} to everybody',
      change: 'move one of the two to another port',
    },
    'pinhole-config-refused': {
      seen: 'Pinhole rejects this configuration: {reason}',
      means: 'it does not start; its ports were not examined here',
      change: 'correct what it names',
    },
    'pinhole-without-config': {
      seen: 'Pinhole is installed here ({sign}), but its configuration was not found',
      means:
        "clients connect to Pinhole, not to the server, so the server's own ports may be closed. Which ports Pinhole needs is unknown, and was not examined",
      change:
        'name its configuration (npx pinhole doctor --host --pinhole-config FILE); if other files come from another host, name those too',
    },
    'no-server-found': {
      seen: 'found no settings of vsftpd, ProFTPD, Pure-FTPd or Pinhole',
      means: 'the passive ranges are unknown: only the rest was examined',
      change: 'name the settings file, if it is in another place',
    },
    'program-missing': {
      seen: 'not examined: {program} is not installed',
      means: 'its information is unknown',
      change: 'nothing, if this host does not use it',
    },
    'rights-missing': {
      seen: 'not examined: this user may not read {what}',
      means: 'its contents are unknown',
      change: 'run this as root',
    },
    'program-failed': {
      seen: 'not examined: {program} failed ({code})',
      means: 'its information is unknown',
      change: 'run it by hand to see the error',
    },
    'forwarding-not-known': {
      seen: 'whether port {port} is led to another host is not known',
      means:
        'a rule translates it under a condition that is not understood here; what then decides about the connection was not examined',
      change: 'examine the server from outside too',
    },
    'ports-not-known': {
      seen: 'whether the firewall lets clients reach port {ports} is not known: {rule}',
      means:
        'this rule decides it. It is for certain addresses or interfaces, or something in it is not understood here',
      change: 'examine the server from outside, from where its clients are',
    },
    'helper-not-known': {
      seen: "whether the kernel's helper is attached to port {port} is not known: {rule}",
      means:
        'only the helper opens the data connections. The rule is for certain addresses or interfaces, nothing leads to it, or something in it is not understood here',
      change: 'examine the server from outside, from where its clients are',
    },
    'ip-forward-not-seen': {
      seen: 'port {port} is forwarded to {to}, and net.ipv4.ip_forward was not examined',
      means: 'if it is 0, the kernel forwards nothing',
      change: 'name a copy of the output of sysctl -a (--sysctl)',
    },
    'passive-forwarding-not-known': {
      seen: 'port {port} is forwarded to {to}; whether all of the passive range {range} is, to the same host and ports, is not known',
      means: 'a rule for it has a condition that is not understood here',
      change: 'examine the server from outside too',
    },
    'range-behind-not-known': {
      seen: 'port {port} is forwarded to {to}, and which passive ports that server uses is not known (these are or may be forwarded: {ports})',
      means: 'passive mode works only if its whole range is forwarded, to the same port numbers',
      change: 'name the settings of that server too',
    },
    'lines-not-understood': {
      seen: 'lines that were not understood: {count} ({lines})',
      means: 'whatever they do, the rest cannot be relied on: nothing is said about which ports are open',
      change:
        'examine the output of nft list ruleset or of iptables-save instead; examine the server from outside too',
    },
    'firewall-not-seen': {
      seen: 'no rules of a firewall were read',
      means: 'whether clients reach the ports is not known',
      change: 'run this as root on the host itself, or name copies of the rules (--iptables, --nftables)',
    },
    'settings-incomplete': {
      seen: '{program}: other files belong to these settings, and were not read',
      means: 'what is not here may be there: the passive range, the announced address',
      change: 'run this on the host itself, or put all settings into one file',
    },
    'established-dropped': {
      seen: '{chain} drops each connection after its first packet (destination port {ports})',
      means:
        'it accepts neither packets of connections that are established nor these by their ports: every connection hangs after its first packet',
      change: 'accept packets of established connections',
    },
    'chain-not-declared': {
      seen: 'rules for chains that no line makes: {chains}',
      means:
        'iptables and iptables-restore reject a rule for a chain that does not exist: none of the rules of the file is loaded',
      change: 'make the chains before their rules; and let INPUT or FORWARD jump to them',
    },
    'chain-of-other-table': {
      seen: 'a rule of the table {table} is for the chain {chain}, which that table does not have',
      means: 'iptables and iptables-restore reject the rule: none of the rules of the file is loaded',
      change:
        'put the rule into the table {wanted}: a command names it by -t {wanted}, a file has its rules after a line *{wanted}',
    },
    'chain-not-shown': {
      seen: 'no line makes the chain of these rules: {chains}',
      means:
        'if it is loaded already, its hook, its policy and its other rules are not known here; if not, nft -f rejects the file. Nothing is said about which ports are open',
      change: 'examine the output of nft list ruleset instead; examine the server from outside too',
    },
    'helper-object-missing': {
      seen: 'the rule attaches the helper object {object}, and its table has no object of that name',
      means:
        "the name is that of an object of the table, not of the kernel's helper: nft rejects the whole file",
      change: 'add the object to the table, before its chains',
    },
    'helper-behind-translation': {
      seen: 'clients connect to port {outside}, which becomes {inside}; this rule attaches the helper at port {port}, and never sees that port',
      means:
        'by its table and priority it sees port {wanted}: the helper is attached to nothing, and no data connection is forwarded',
      change: 'use port {wanted} in the rule',
    },
    'setting-misspelt': {
      seen: '{program} knows no setting {name}; {meant} is meant',
      means: '{program} does not start with an unknown setting',
      change: 'correct the name',
    },
    'setting-unknown': {
      seen: '{program} knows no setting {name}',
      means: '{program} does not start with an unknown setting',
      change: 'remove the line, or correct the name',
    },
    'switch-unreadable': {
      seen: '{name} is {value}, which {program} reads neither as on nor as off',
      means:
        '{program} does not start with it. vsftpd takes the whole rest of the line for the value, comments too (500 OOPS)',
      change: 'write the value alone',
    },
    'vsftpd-value-quoted': {
      seen: 'the value of {name} is in quotation marks',
      means: 'vsftpd has no quotation marks: they are part of the value, which is then unusable',
      change: 'remove them',
    },
    'vsftpd-value-missing': {
      seen: '{name} has no value',
      means: 'vsftpd does not start with such a line (500 OOPS)',
      change: 'write name=value, or remove the line',
    },
    'vsftpd-number-unread': {
      seen: '{name} is {value}, which begins with no digit',
      means: 'vsftpd reads it as 0, as if it were not set',
      change: 'write the number alone',
    },
    'vsftpd-listens-twice': {
      seen: 'listen and listen_ipv6 are both on',
      means:
        'vsftpd does not start: a listener for IPv6 takes IPv4 too, and one process has one listener (500 OOPS)',
      change: 'turn off listen',
    },
    'other-program-listens': {
      seen: '{program} listens on port {port}, and the settings that were read are those of {expected}',
      means: 'clients reach {program}: its settings, and with them its passive range, are not known',
      change: 'name its settings, or stop the one of the two that is not meant to run',
    },
    'settings-bom': {
      seen: 'the file begins with a byte order mark (BOM)',
      means: '{program} reads it as part of the first line, and does not start',
      change: 'remove it',
    },
    'address-loopback': {
      seen: '{program} announces {address}',
      means: 'no other host can connect to that: passive mode fails for every client elsewhere',
      change: 'announce the address that clients connect to',
    },
    'range-unreadable': {
      seen: '{program} cannot read the passive range {value}',
      means: '{program} does not start with it',
      change: 'write the two numbers as {program} reads them',
    },
    'settings-refused': {
      seen: '{program} rejects its settings: {reply}',
      means: 'it does not start with them',
      change: 'correct what it names',
    },
    'value-quoted': {
      seen: 'the value of {name} is in single quotation marks',
      means: '{program} takes them for part of the value: clients are told an address that is none',
      change: 'remove them',
    },

    // --- a server, seen from outside -------------------------------------------------------------------
    'examination-too-long': {
      seen: 'the examination stopped after {seconds} s, before all tests were done',
      means: 'the server, or something on the path, answers so slowly that clients give up too',
      change: 'fix what is reported above, or allow more time (--limit)',
    },
    'examination-interrupted': {
      seen: 'interrupted before all tests were done',
      means: 'anything not reported here is unknown',
      change: 'run it again',
    },
    'control-fine': { seen: 'connected to {address} port {port}' },
    'name-unknown': {
      seen: 'the name {host} has no address ({code})',
      means: 'clients cannot find the server',
      change: 'add the name to the DNS, or correct it in the URL',
    },
    'control-refused': {
      seen: '{address} port {port} refuses the connection',
      means:
        'the host is up, but no FTP server listens on this address and port, or a firewall rejects the connection',
      change: 'start the server, make it listen on this port, and open the port in the firewall',
    },
    'control-silent': {
      seen: '{address} port {port} did not answer within {seconds} s',
      means: 'a firewall drops the connection, nothing forwards the port, or no host has the address',
      change:
        'open the port in every firewall on the path, and forward it if a NAT is in front of the server',
    },
    'control-unreachable': {
      seen: '{address} port {port} cannot be reached ({code})',
      means: 'there is no route to the host, or a firewall rejects the connection with an ICMP message',
      change: 'check the routes (ip route get {address}), and open the port in every firewall on the path',
    },
    'address-skipped': {
      seen: '{host} also has the address {address}, and connecting to it failed ({code})',
      means: 'clients that try this address first are delayed or fail',
      change:
        'make the server listen on this address and open the firewall for it, or remove it from the DNS',
    },
    'greeting-fine': { seen: 'the greeting arrived after {seconds} s' },
    'greeting-slow': {
      seen: 'the greeting arrived only after {seconds} s',
      means:
        "most often the server first looks up the client's name (reverse DNS) or asks the client for the user (ident, port 113), and gets no answer",
      change: "turn these lookups off, or make the server's resolver answer",
    },
    'greeting-missing': {
      seen: 'connected to {address} port {port}, but no complete greeting arrived within {seconds} s',
      means:
        'the server hangs, takes very long to look up the client, expects TLS from the first byte (port 990), or the port is forwarded to a host that does not speak FTP',
      change: "read the server's log; turn its lookups off; check where the port is forwarded to",
    },
    'greeting-closed': {
      seen: 'connected to {address} port {port}, but the connection was closed before the greeting',
      means:
        'the server rejects this address (hosts.deny, a ban, too many connections), or a relay on the path cannot reach the server',
      change: 'read the logs of the server and of the relay',
    },
    'greeting-endless': {
      seen: 'connected to {address} port {port}, and the greeting does not end: over {lines} lines, or over {replies} replies',
      means: 'clients give up, or wait for its end. Nothing else could be tested',
      change: 'shorten the banner of the server, or correct the port',
    },
    'greeting-refused': {
      seen: 'the server refuses the session: {reply}',
      means: 'it accepts no session from here at the moment: too many sessions, a ban, or a shutdown',
      change: "read the server's log and raise its limit, or lift the ban",
    },
    'greeting-foreign': {
      seen: 'the service on port {port} is not an FTP server: {reply}',
      means: 'another service listens here, or the port is forwarded to the wrong one',
      change: 'correct the port in the URL or in the port forwarding',
    },
    'login-fine': { seen: 'logged in as {user}' },
    'login-refused': {
      seen: 'the login of {user} was refused: {reply}',
      means:
        'the user name or password is wrong, or the server does not admit this user. Nothing else could be tested',
      change: "try another user or password, and read the server's log",
    },
    'anonymous-refused': {
      seen: 'the server admits no anonymous user: {reply}',
      means: 'that is how most servers are set. Nothing else could be tested',
      change: 'name a user (ftp://USER@HOST, with the password in FTP_PASSWORD)',
    },
    'tls-demanded-refused': {
      seen: 'the server demands TLS, and AUTH TLS was refused: {reply}',
      means:
        'no client can log in or transfer: the server has no usable certificate, or something on the path refuses TLS',
      change:
        "set up the server's certificate and key; read its log. If AUTH never arrived there, a firewall or ALG on the path refused it",
    },
    'login-needs-tls': {
      seen: 'the login of {user} was refused without TLS: {reply}',
      means:
        'the server requires TLS. Everything after this was tested over TLS, where no helper on the path can read anything',
      change:
        'nothing, if clients use TLS. The passive ports must be open and the announced address right without a helper',
    },
    'session-refused': {
      seen: 'a second session was refused: {reply}',
      means: 'clients that open several connections fail, and so did part of this examination',
      change: 'allow several sessions from one address',
    },
    'session-missing': {
      seen: 'another connection to the control port got no greeting within {seconds} s',
      means:
        'the server or a firewall limits the connections of one client without telling it, or it went down. Clients that open several connections hang, and part of this examination was not done',
      change: 'allow several sessions from one address',
    },
    'session-ended': {
      seen: 'the server ended the session at {command}: {reply}',
      means: 'it is shutting down, has reached a limit, or ends sessions that send commands it does not like',
      change: "read the server's log",
    },
    'reply-endless': {
      seen: 'the reply to {command} does not end: over {lines} lines, or over {replies} replies',
      means: 'clients give up, or wait for its end',
      change: "read the server's log, and check what else answers on this port",
    },
    'control-lost': {
      seen: 'the control connection ended without a reply to {command}',
      means: 'the server crashed or gave up, or something on the path cut the connection at this command',
      change:
        "read the server's log. If the command never arrived there, a firewall or ALG on the path cut the connection",
    },
    'command-unanswered': {
      seen: 'no reply to {command} within {seconds} s',
      means: 'the server hangs, or something on the path swallows the command or its reply',
      change:
        "read the server's log. If the server did reply, a firewall or ALG on the path swallowed the reply",
    },
    'no-nat': {
      seen: 'the server sees this client as {seen}, its own address: no NAT on the path changes it',
    },
    'nat-on-the-way': {
      seen: 'this client has the address {own}, and the server sees it as {seen}',
      means:
        "there is a NAT or a relay on the path. Active mode needs a helper there that rewrites the client's address",
      change: 'nothing for passive mode',
    },
    'passive-fine': { seen: '{command}: a data connection to {address} port {port} carries a listing' },
    'passive-refused': {
      seen: 'PASV was refused: {reply}',
      means: 'passive mode is turned off or has no free port. Most clients use nothing else',
      change: 'turn on passive mode, and give it a port range',
    },
    'passive-unreadable': {
      seen: 'the reply to {command} names no port to connect to: {reply}',
      means: 'no client can use that',
      change:
        "check whether something on the path changes the reply, and compare it with the server's own log",
    },
    'announced-private': {
      seen: 'the server was reached at {reached}, but its 227 announces {announced}',
      means:
        'that is an internal address, which no external client can reach: the listing hangs. Neither the server nor a NAT on the path replaces it by the external address',
      change:
        'make the server announce the address that clients reach, or use a helper on the NAT in front of it',
    },
    'announced-unroutable': {
      seen: 'the server was reached at {reached}, but its 227 announces {announced}',
      means: 'no other host can connect to that address',
      change: 'make the server announce the address that clients reach',
    },
    'announced-other': {
      seen: 'the server was reached at {reached}, its 227 announces {announced}, and connecting to that fails',
      means: 'the server announces an outdated address, or one that leads elsewhere',
      change: 'make the server announce the address that clients reach',
    },
    'announced-other-works': {
      seen: 'the server was reached at {reached}, its 227 announces {announced}, and connecting to that works',
      means: 'many clients refuse an address other than the one they reached, or use that one instead',
      change: 'make the server announce the address that clients reach',
    },
    'data-port-closed': {
      seen: '{command} announced port {port}, and {address} refuses connections to it',
      means:
        'nothing listens there: a NAT forwards only the control port or uses other port numbers, or a firewall rejects the port',
      change:
        'give the server a fixed passive range, forward it to the same port numbers, and open it in the firewall',
    },
    'data-port-filtered': {
      seen: '{command} announced port {port}, and {address} did not answer there within {seconds} s',
      means: 'a firewall drops the data connection: the port is not open, and no helper opens it',
      change:
        'give the server a fixed passive range and open it in the firewall, or use a helper that opens each port (not on a host where Pinhole runs: there, open its passive-ports)',
    },
    'data-port-rejected': {
      seen: '{command} announced port {port}, and the connection to {address} was rejected ({code})',
      means:
        'a firewall rejects the data connection with an ICMP message: the port is not open, and no helper opens it',
      change:
        'give the server a fixed passive range and open it in the firewall, or use a helper that opens each port (not on a host where Pinhole runs: there, open its passive-ports)',
    },
    'data-refused': {
      seen: '{command} announced port {port}; connecting to it worked, but the listing failed: {reply}',
      means:
        'the server did not get this connection or rejects it: another host has it (wrong port forwarding), or it comes from a different address than the control connection',
      change:
        'check where the ports are forwarded to. Behind a proxy that changes addresses, make the server accept them',
    },
    'listing-refused': {
      seen: '{command}: the server refuses NLST and LIST: {reply}',
      means: 'it refuses the command, not the data connection: whether data gets through was not tested',
      change: 'examine it as a user who may list a folder',
    },
    'data-ignored': {
      seen: '{command} announced port {port}; connecting to it worked, but the server did not begin a listing within {seconds} s',
      means:
        'it waits for another connection: another host has this one (wrong port forwarding), or it comes from a different address than the control connection',
      change:
        'check where the ports are forwarded to. Behind a proxy that changes addresses, make the server accept them',
    },
    'data-unfinished': {
      seen: '{command} announced port {port}; connecting to it worked, but the listing did not end within {seconds} s',
      means:
        'the data connection leads to another host, or its packets are lost on the path: small ones get through and full ones do not where a link has a smaller MTU and the ICMP messages about it are dropped',
      change:
        'check where the ports are forwarded to; let ICMP "fragmentation needed" and "packet too big" through, or make the router in front of the narrow link lower the segment size of connections',
    },
    'data-needs-tls': {
      seen: 'the server refuses a listing without TLS: {reply}',
      means: 'the ports open; the data itself must be encrypted, and was not tested',
      change: 'nothing, if clients use TLS',
    },
    'large-not-seen': {
      seen: 'the server sent no more than {bytes} bytes at once: whether full packets get through is not known',
      means:
        'where a link has a smaller MTU and the ICMP messages about it are dropped, short listings work, and long ones and files hang',
      change: 'examine it as a user whose folder has some hundred files, or download a large file',
    },
    'passive-range-small': {
      seen: 'PASV was sent {count} times and announced only these ports: {ports}',
      means:
        'only that many passive transfers are possible at once, and a port just used may not be free again',
      change: 'give the server a larger range, and open it in the firewall',
    },
    'passive-range-exhausted': {
      seen: 'while one session waits on a passive port, a second session gets none: {reply}',
      means: 'the passive range is too small: transfers fail as soon as there are a few at once',
      change: 'give the server a larger range, and open it in the firewall',
    },
    'passive-range-few': {
      seen: '{count} sessions wait on a passive port each, and the next one gets none: {reply}',
      means: 'the passive range has {count} ports: one passive transfer more than that at once fails',
      change: 'give the server a larger range, and open it in the firewall',
    },
    'passive-range-few-sessions': {
      seen: 'PASV gives {ports} different ports, and a session beside {count} others was refused: {reply}',
      means:
        'the server limits the sessions: Pure-FTPd to half as many as its passive range has ports, other servers by a setting',
      change: 'if more clients come at once, give the server a larger range, and open it in the firewall',
    },
    'passive-range-refused': {
      seen: 'one session was given {count} passive ports ({ports}), and its next PASV was refused: {reply}',
      means:
        'the passive range has no more ports that are free: other sessions hold them, or the server does not give up a port that nobody used',
      change: 'give the server a larger range, open it in the firewall, and restart the server',
    },
    'extended-passive-refused': {
      seen: 'EPSV was refused: {reply}',
      means:
        'clients that try it first fall back to PASV, one command later. Over IPv6 there would be no passive mode',
      change: 'use a server, and an ALG on the path, that support RFC 2428',
    },
    'extended-passive-refused-ipv6': {
      seen: 'EPSV was refused over IPv6: {reply}',
      means: 'PASV has no form for IPv6, so there is no passive mode at all',
      change:
        'use a server, and an ALG on the path, that support RFC 2428; or remove its IPv6 address from the DNS',
    },
    'helper-knows-only-pasv': {
      seen: 'the port announced for PASV opens, and the one announced for EPSV does not',
      means:
        'a helper on the path opens the port of a 227 and does not read a 229 (or the firewall has opened only part of the range). curl and others try EPSV first and hang',
      change: 'open the whole range, use a helper that supports RFC 2428, or make the server refuse EPSV',
    },
    'helper-knows-only-epsv': {
      seen: 'the port announced for EPSV opens, and the one announced for PASV does not',
      means:
        'a helper on the path opens the port of a 229 but not that of the 227 (or the firewall has opened only part of the range)',
      change:
        "open the whole range, or find out why the helper ignores the 227: most do if its address is not the server's",
    },
    'active-fine': { seen: '{command}: a data connection comes from {address} port {port}' },
    'active-refused': {
      seen: '{command} was refused: {reply}',
      means: 'the server does not support active mode, or not for this client',
      change: 'allow it if clients need it: for most, passive mode is enough',
    },
    'active-extended-refused': {
      seen: 'EPRT was refused, but PORT was not: {reply}',
      means: 'clients that try it first fall back to PORT, one command later',
      change: 'use a server, and an ALG on the path, that support RFC 2428',
    },
    'active-not-rewritten': {
      seen: "{command} with this client's own address {own} failed: {reply}",
      means:
        'this client is behind a NAT, and no helper there replaced the address by the external one: the server was given an address that it cannot or will not connect to',
      change: 'use passive mode, or turn on the FTP helper of the NAT on the client side',
    },
    'active-sees-other': {
      seen: '{command} named this client as {own}, and the server refused: it sees this client as {seen}',
      means:
        'there is a NAT between this client and the server, and no helper there replaced the address in {command}',
      change: 'use passive mode, or turn on the FTP helper of the NAT on the client side',
    },
    'active-blocked': {
      seen: '{command} was accepted, but no connection reached {own}: {reply}',
      means:
        "a firewall on the path drops or rejects the server's connection: the client's own, one in between without an FTP helper, or the server's, for outgoing connections",
      change:
        'use passive mode; otherwise let a helper follow the control connection, and make the server connect from port 20',
    },
    'active-silent': {
      seen: '{command} was accepted, but neither a connection to {own} nor a reply arrived within {seconds} s',
      means:
        "a firewall on the path drops the server's connection: the client's own, one in between without an FTP helper, or the server's, for outgoing connections",
      change:
        'use passive mode; otherwise let a helper follow the control connection, and make the server connect from port 20',
    },
    'active-unfinished': {
      seen: '{command}: the data connection was made, but the listing failed: {reply}',
      means: 'the connection is cut or its packets are lost on the path',
      change: "read the server's log",
    },
    'active-source-port': {
      seen: '{command}: the data connection came from port {port}, not from {expected}',
      means:
        'firewalls that accept only port {expected} drop it. The server may not use {expected}, or a NAT changed it',
      change: 'make the server connect from port {expected}',
    },
    'active-source-address': {
      seen: '{command}: the data connection came from {source}, but the server was reached at {reached}',
      means: 'firewalls and helpers expect it from the address that was reached, and drop it',
      change:
        'make the server connect from the address that clients reach: source NAT for its active connections',
    },
    'active-rewritten': {
      seen: '{command} named {own}, and the server connected although it sees this client under another address ({seen})',
      means: 'a helper or ALG on the path rewrote the command. It can do so only without TLS',
      change: 'nothing',
    },
    'helper-knows-only-port': {
      seen: 'a connection arrives after PORT, and none after EPRT',
      means: 'a helper on the path reads PORT but not EPRT',
      change: 'use a helper that supports RFC 2428, or passive mode',
    },
    'features-fine': { seen: 'supported: {commands}' },
    'size-missing': {
      seen: 'SIZE is not supported: {reply}',
      means: 'clients cannot show progress, and some cannot resume an upload',
      change: 'allow the command if it is turned off',
    },
    'mdtm-missing': {
      seen: 'MDTM is not supported: {reply}',
      means: 'clients cannot compare file dates',
      change: 'allow the command if it is turned off',
    },
    'rest-missing': {
      seen: 'REST is not supported: {reply}',
      means: 'an interrupted transfer has to start again from the beginning',
      change: 'allow the command if it is turned off',
    },
    'abor-missing': {
      seen: 'ABOR is not supported: {reply}',
      means: 'a user who cancels a transfer loses the session',
      change: 'allow the command if it is turned off, and let it through the firewall',
    },
    'tls-fine': { seen: 'AUTH TLS: passive mode works over TLS too' },
    'tls-none': {
      seen: 'AUTH TLS was refused: {reply}',
      means: 'passwords and data cross the network unencrypted',
      change:
        'nothing, if that is intended; otherwise turn on TLS. A helper on the path reads nothing over TLS; Pinhole does if it terminates TLS (--tls terminate, docs/ftps.md)',
    },
    'tls-handshake-failed': {
      seen: 'AUTH TLS was accepted, but the handshake failed ({code})',
      means:
        'server and client share no TLS version or cipher, the server has no usable certificate, or something on the path cuts the connection or loses full packets (MTU)',
      change: "read the server's log, and check its certificate and key",
    },
    'tls-certificate': {
      seen: "the server's certificate is not trusted ({code})",
      means: 'clients ask their users or refuse. The rest of the examination accepted it',
      change: 'get a certificate for the name that clients use',
    },
    'tls-certificate-expired': {
      seen: "the server's certificate has expired: {end}",
      means: 'clients warn their users or refuse to connect. The rest of the examination accepted it',
      change: 'renew it',
    },
    'tls-data-refused': {
      seen: 'over TLS, {command} announced port {port}; connecting to it worked, but the listing failed: {reply}',
      means:
        'the server did not take the data connection over TLS, although it resumed the TLS session of the control connection: something else on the path answers on the port, or the server rejects it',
      change: "check where the ports are forwarded to, and read the server's log",
    },
    'tls-reuse-demanded': {
      seen: 'a listing over TLS fails unless the data connection resumes the TLS session of the control connection: {reply}',
      means: 'clients that do not resume it get no data over TLS; others are not affected',
      change: 'nothing, if all clients resume it; otherwise remove the requirement',
    },
    'tls-login-refused': {
      seen: 'the login of {user} was refused over TLS, but not without TLS: {reply}',
      means: 'clients that use TLS whenever it is offered cannot log in',
      change: "read the server's log; logins over TLS have separate settings",
    },
    'tls-blinds-address': {
      seen: 'without TLS the 227 announces {plain}, over TLS it announces {tls}',
      means:
        'a helper on the path rewrites the address and cannot read TLS: clients that use TLS are told an internal address',
      change:
        'replace the helper by Pinhole and let it terminate TLS (--tls terminate, docs/ftps.md); or make the server announce the external address itself, and forward a fixed passive range to it',
    },
    'tls-blinds-port': {
      seen: 'without TLS the passive port opens; over TLS, port {port} of {address} does not',
      means: 'a helper on the path opens the ports that it reads, and cannot read TLS: the listing hangs',
      change:
        'replace the helper by Pinhole and let it terminate TLS (--tls terminate, docs/ftps.md); or give the server a fixed passive range, open and forward all of it, and make the server announce the external address',
    },
    'pinhole-here': { seen: 'Pinhole answers here, in front of the server' },
    'pinhole-seen': { seen: 'the server sees {seen}, the address from which Pinhole connects to it' },
    'greeting-refused-by-pinhole': {
      seen: 'Pinhole refuses the session: {reply}',
      means: 'Pinhole says that, not the server: it reached no server, or its own limits are exhausted',
      change: "read Pinhole's log, and try the server from Pinhole's host",
    },
    'pinhole-passive-closed': {
      seen: '{command} announced port {port} of Pinhole, and connecting to it at {address} failed ({code})',
      means:
        "Pinhole expects the client on that port: the firewall of Pinhole's host does not let it in, or a NAT in front of Pinhole does not forward it",
      change:
        "open Pinhole's passive-ports in the firewall of its host, and forward them to the same port numbers where a NAT is in front of it. With the kernel plane the forward chain must also accept Pinhole's mark. The kernel's helper must not be attached beside Pinhole",
    },
    'pinhole-announces-other': {
      seen: 'Pinhole was reached at {reached}, but its 227 announces {announced}',
      means: 'Pinhole is behind a NAT that changes its address, and announces its own: the listing hangs',
      change: "set Pinhole's public-address to the address that clients reach",
    },
    'pinhole-data-refused': {
      seen: '{command} announced port {port}; connecting to Pinhole there worked, but the listing failed: {reply}',
      means:
        'Pinhole did not reach the passive port of the server, or the server does not accept the connection',
      change: "open the server's passive range for Pinhole in the server's firewall, and read Pinhole's log",
    },
    'pinhole-active-failed': {
      seen: '{command} was accepted through Pinhole, but no connection reached {own}: {reply}',
      means:
        "the server does not reach Pinhole's active-ports, or a firewall drops Pinhole's connection to this client",
      change:
        "use passive mode; otherwise open Pinhole's active-ports for the server, and read Pinhole's log",
    },
    'pinhole-refuses-tls': {
      seen: 'the server demands TLS, and Pinhole in front of it refuses that: {reply}',
      means: 'nobody can log in. Nothing else could be tested',
      change:
        'let Pinhole terminate TLS on both sides (--tls terminate, docs/ftps.md), or pass it on (--tls pass)',
    },
    'tls-none-at-pinhole': {
      seen: 'AUTH TLS was refused by Pinhole or by the server behind it: {reply}',
      means: 'passwords and data cross the network unencrypted',
      change:
        'nothing, if that is intended; otherwise let Pinhole terminate TLS (--tls terminate, docs/ftps.md): the server needs none',
    },
    'tls-passes-pinhole': {
      seen: 'passive mode works through Pinhole without TLS; over TLS it is told {announced}, and fails',
      means: 'Pinhole passes TLS on unread (--tls pass): nothing rewrites the address and opens the port',
      change:
        'let Pinhole terminate TLS (--tls terminate, docs/ftps.md); or make the server announce the address of Pinhole, with the same passive range as Pinhole',
    },
    'tls-passive-refused': {
      seen: 'over TLS {command} was refused or cannot be read, and without TLS it was not: {reply}',
      means: 'clients that use TLS have no passive mode',
      change: "read the server's log",
    },
    'idle-fine': { seen: 'the control connection survived {seconds} s of silence' },
    'idle-timeout': {
      seen: 'after {seconds} s of silence the server ended the session: {reply}',
      means: 'its own idle limit is shorter than the tested time',
      change: 'raise the limit',
    },
    'idle-closed': {
      seen: 'after {seconds} s of silence the control connection was closed without a reply',
      means: 'a firewall, a load balancer or a relay on the path ends idle connections, or the server does',
      change: 'raise the idle limit on the path, or send keepalives more often than that',
    },
    'idle-silent': {
      seen: 'after {seconds} s of silence there was no reply any more',
      means:
        'a NAT or firewall on the path has forgotten the connection. Long transfers end this way too: the control connection is silent meanwhile',
      change: 'raise the idle limit on the path, or send keepalives more often than that',
    },
  },
} as const;
