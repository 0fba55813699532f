/** English, from which the others are translated. */
export const en = {
  words: {
    means: 'means',
    change: 'change',
    healthy: 'Nothing has to be changed.',
    noneSoFar: 'No fault so far.',
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
      seen: '{program}: active data connections come from port {port}, and {setting} takes away the right to it',
      means: 'only root may use port {port}: each transfer in active mode fails',
      change: "give up port {port} for active mode, or run with root's rights",
    },
    'port-20-not-root': {
      seen: '{program} is to open active data connections from port {port}, and runs as user {user}',
      means: 'only root may use port {port}: each transfer in active mode fails',
      change: 'give up port {port} for active mode, or let root start {program}',
    },
    'vsftpd-spaces': {
      seen: 'a blank where vsftpd takes none',
      means: 'it takes the blank for a part of the name, or of YES or NO, and does not start (500 OOPS)',
      change: 'write the line without it',
    },
    'vsftpd-line-ends': {
      seen: 'the line ends with CR LF, as Windows writes it',
      means: 'vsftpd takes the CR for a part of YES or NO, and does not start (500 OOPS)',
      change: 'take the CR from every line',
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
      change:
        'open the passive range {range} itself, or put Pinhole in the place of the helper and let it end TLS (--tls terminate, docs/ftps.md)',
    },
    'helper-blind-to-tls': {
      seen: "{program} offers TLS ({setting}), and the kernel's helper watches its port {port}",
      means:
        'behind AUTH TLS the helper reads nothing: it opens no port there and rewrites no address. What works over TLS works without it',
      change:
        'nothing, if the passive range is open and the announced address right without the helper; else put Pinhole in its place and let it end TLS (--tls terminate, docs/ftps.md)',
    },
    'tls-pass-other-range': {
      seen: "tls is pass, {program} has the passive ports {range}, and Pinhole's passive-ports are {passive}",
      means:
        'each passive port of Pinhole leads to the same port of the server: over TLS, clients are told ports that lead nowhere, and passive mode hangs',
      change: 'give both the same range',
    },
    'tls-pass-address-missing': {
      seen: 'tls is pass, and {program} announces the address that it has itself',
      means: "nobody rewrites its 227 behind AUTH TLS: clients are told the server's own address",
      change: 'let {program} announce the address at which clients reach Pinhole',
    },
    'tls-pass-address-private': {
      seen: 'tls is pass, and {program} announces {address}',
      means: 'that is an address of its inside, and behind AUTH TLS nobody rewrites it: passive mode hangs',
      change: 'let {program} announce the address at which clients reach Pinhole',
    },
    'tls-data-demands-reuse': {
      seen: 'tls-data is server, and {program} demands that data channels resume the TLS session of the control channel ({setting})',
      means:
        'the client has that session with Pinhole and none with the server: the server refuses each protected transfer',
      change: 'take the demand back, or let TLS of data channels end at Pinhole',
    },
    'certificate-missing': {
      seen: 'this file of certificates or keys is not there',
      means:
        'Pinhole does not start without it, and one that runs keeps what it has read until it is restarted',
      change: "see to the path in Pinhole's configuration",
    },
    'certificate-unreadable': {
      seen: 'this file of certificates or keys cannot be read ({code})',
      means:
        'Pinhole does not start without it, and one that runs keeps what it has read until it is restarted',
      change: "see to the path in Pinhole's configuration",
    },
    'certificate-unusable': {
      seen: 'this file has no certificate, or no key without a passphrase, in PEM',
      means: 'Pinhole does not start with it',
      change: 'convert it to PEM, and take the passphrase from a key',
    },
    'certificate-key-foreign': {
      seen: 'this is not the key of the first certificate in {cert}',
      means: 'Pinhole does not start with the two',
      change: "name the key that belongs to it; the server's own certificate stands first, before its chain",
    },
    'certificate-expired': {
      seen: 'the certificate has expired: {end}',
      means: 'clients warn their users or refuse to connect',
      change: 'renew it; Pinhole reads it again when the file changes',
    },
    'certificate-expiring': {
      seen: 'the certificate expires in {days} days: {end}',
      means: 'from then on clients warn their users or refuse to connect',
      change: 'renew it; Pinhole reads it again when the file changes',
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
    'pinhole-without-config': {
      seen: 'Pinhole stands here ({sign}), and its configuration was not found',
      means:
        "clients connect to it, and not to the server: the server's own ports may be closed. Which ports Pinhole needs is not known, and was not examined",
      change: 'name its configuration; with other files from elsewhere, name those too',
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
    'examination-too-long': {
      seen: 'the examination was ended after {seconds} s, and not everything was tried',
      means: 'the server, or what is on the way, answers so late that clients give up too',
      change: 'see to what is told above; or allow more time (--limit)',
    },
    'examination-interrupted': {
      seen: 'interrupted: not everything was tried',
      means: 'what is not told here is not known',
      change: 'run it again',
    },
    'control-fine': { seen: 'connected to {address} port {port}' },
    'name-unknown': {
      seen: 'the name {host} has no address ({code})',
      means: 'clients cannot find the server',
      change: 'enter the name in the DNS, or correct it in the URL',
    },
    'control-refused': {
      seen: '{address} port {port} refuses the connection',
      means:
        'the host is there, and no FTP server listens on this port and address; or a firewall rejects it',
      change: 'start the server, let it listen on this port, and open the port in the firewall',
    },
    'control-silent': {
      seen: '{address} port {port} did not answer in {seconds} s',
      means: 'a firewall drops the connection, nothing forwards the port, or no host has the address',
      change:
        'open the port in each firewall on the way, and forward it where a NAT stands in front of the server',
    },
    'control-unreachable': {
      seen: '{address} port {port} cannot be reached ({code})',
      means: 'there is no way to the host, or a firewall rejects the connection with an ICMP message',
      change: 'see to the routes (ip route get {address}), and open the port in each firewall on the way',
    },
    'address-skipped': {
      seen: '{host} has the address {address} too, and that failed ({code})',
      means: 'clients that try this address first wait or fail',
      change: 'let the server listen on this address and open the firewall for it, or take it out of the DNS',
    },
    'greeting-fine': { seen: 'the greeting came in {seconds} s' },
    'greeting-slow': {
      seen: 'the greeting came only in {seconds} s',
      means:
        'most often the server first looks up the name of the client (reverse DNS) or asks it for the user (ident, port 113), and nobody answers',
      change: 'turn these lookups off, or let the resolver of the server answer',
    },
    'greeting-missing': {
      seen: 'connected to {address} port {port}, and no greeting came in {seconds} s',
      means:
        'the server hangs, takes very long to look up the client, waits for TLS at once (port 990), or the port is forwarded to a host that does not speak FTP',
      change: "read the server's log; turn its lookups off; see where the port is forwarded to",
    },
    'greeting-closed': {
      seen: 'connected to {address} port {port}, and the connection was closed before a greeting',
      means:
        'the server takes nobody from this address (hosts.deny, a ban, too many connections), or a relay on the way does not reach the server',
      change: "read the server's log, and that of the relay",
    },
    'greeting-refused': {
      seen: 'the server greets with: {reply}',
      means: 'it takes no session from here at this time: too many, a ban, or it is going down',
      change: "read the server's log and raise its limit, or lift the ban",
    },
    'greeting-foreign': {
      seen: 'what answers on port {port} is no FTP server: {reply}',
      means: 'another service listens here, or the port is forwarded to a wrong one',
      change: 'correct the port in the URL or in the forward',
    },
    'login-fine': { seen: 'logged in as {user}' },
    'login-refused': {
      seen: 'the login of {user} was refused: {reply}',
      means:
        'name or password are wrong, or the server does not let this user in. Nothing else could be tried',
      change: "try another user or password, and read the server's log",
    },
    'login-needs-tls': {
      seen: 'without TLS the login of {user} was refused: {reply}',
      means:
        'the server demands TLS. All that follows was tried over TLS, where no helper on the way sees anything',
      change:
        'nothing, if clients use TLS. The passive ports have to be open and the announced address right without a helper',
    },
    'session-refused': {
      seen: 'a second session was refused: {reply}',
      means: 'clients that open several connections fail, and so did a part of this examination',
      change: 'allow several sessions of one address',
    },
    'control-lost': {
      seen: 'the control connection ended without an answer to {command}',
      means: 'the server crashed or gave up, or something on the way cut the connection at this command',
      change: "read the server's log. If it never saw the command, a firewall or ALG on the way cut it",
    },
    'command-unanswered': {
      seen: 'no answer to {command} in {seconds} s',
      means: 'the server hangs, or something on the way swallows the command or its answer',
      change: "read the server's log. If it answered, a firewall or ALG on the way swallowed it",
    },
    'no-nat': { seen: 'the server sees this client as {seen}, as it is: no NAT on the way changes that' },
    'nat-on-the-way': {
      seen: 'this client has the address {own}, and the server sees it as {seen}',
      means:
        "a NAT or a relay is on the way. Active mode needs a helper there that rewrites the client's address",
      change: 'nothing for passive mode',
    },
    'passive-open': { seen: '{command}: {address} port {port} can be connected to' },
    'passive-fine': { seen: '{command}: a data connection to {address} port {port} carries a listing' },
    'passive-refused': {
      seen: 'PASV was refused: {reply}',
      means: 'passive mode is turned off or has no port. Most clients use nothing else',
      change: 'allow passive mode, and give it a range of ports',
    },
    'passive-unreadable': {
      seen: '{command} was answered without a port to connect to: {reply}',
      means: 'no client can use that',
      change: 'see whether something on the way changes the reply, and what the server says in its own log',
    },
    'announced-private': {
      seen: 'the server was reached at {reached}, and its 227 says {announced}',
      means:
        'that is an address of its inside, and no client outside gets there: the listing hangs. Neither the server nor a NAT on the way puts in the address from outside',
      change:
        'let the server announce the address that clients reach, or put a helper on the NAT in front of it',
    },
    'announced-unroutable': {
      seen: 'the server was reached at {reached}, and its 227 says {announced}',
      means: 'that is no address that another host can connect to',
      change: 'let the server announce the address that clients reach',
    },
    'announced-other': {
      seen: 'the server was reached at {reached}, its 227 says {announced}, and no connection to that comes about',
      means: 'the server announces an address that is not its own any more, or that leads elsewhere',
      change: 'let the server announce the address that clients reach',
    },
    'announced-other-works': {
      seen: 'the server was reached at {reached}, its 227 says {announced}, and that can be connected to',
      means: 'many clients refuse an address other than the one reached, or use that one instead',
      change: 'let the server announce the address that clients reach',
    },
    'data-port-closed': {
      seen: '{command} gave port {port}, and {address} refuses the connection to it',
      means:
        'nobody listens there: a NAT forwards the control port alone or to other port numbers, or a firewall rejects the port',
      change:
        'give the server a fixed range of passive ports, forward it to the same numbers, and open it in the firewall',
    },
    'data-port-filtered': {
      seen: '{command} gave port {port}, and {address} did not answer there in {seconds} s',
      means: 'a firewall drops the data connection: the port is not open, and no helper opens it',
      change:
        'give the server a fixed range of passive ports and open it in the firewall, or have a helper open each port',
    },
    'data-port-rejected': {
      seen: '{command} gave port {port}, and the connection to {address} was rejected ({code})',
      means:
        'a firewall rejects the data connection with an ICMP message: the port is not open, and no helper opens it',
      change:
        'give the server a fixed range of passive ports and open it in the firewall, or have a helper open each port',
    },
    'data-refused': {
      seen: '{command} gave port {port}, it could be connected to, and the listing failed: {reply}',
      means:
        'the server did not get this connection or does not take it: another host has it (a wrong forward), or it comes from another address than the control connection',
      change:
        'see where the ports are forwarded to. Behind a proxy that changes addresses, let the server take them',
    },
    'data-unfinished': {
      seen: '{command} gave port {port}, it could be connected to, and the listing did not end in {seconds} s',
      means: 'the data connection leads to another host, or its packets are lost on the way',
      change: 'see where the ports are forwarded to, and whether large packets pass (MTU)',
    },
    'data-needs-tls': {
      seen: 'the server gives no listing without TLS: {reply}',
      means: 'the ports open; the data itself has to be encrypted, and was not tried',
      change: 'nothing, if clients use TLS',
    },
    'passive-range-small': {
      seen: '{count} times PASV gave only these ports: {ports}',
      means:
        'only so many passive transfers are possible at a time, and a port just used may not be free again',
      change: 'give the server a larger range, and open it in the firewall',
    },
    'passive-range-exhausted': {
      seen: 'while one session waits on a passive port, a second one gets none: {reply}',
      means: 'the range of passive ports is too small: transfers fail as soon as there are a few at a time',
      change: 'give the server a larger range, and open it in the firewall',
    },
    'extended-passive-refused': {
      seen: 'EPSV was refused: {reply}',
      means:
        'clients that try it first go on with PASV, one command later. Over IPv6 there would be no passive mode',
      change: 'let the server, and an ALG on the way, know RFC 2428',
    },
    'extended-passive-refused-ipv6': {
      seen: 'EPSV was refused over IPv6: {reply}',
      means: 'PASV has no form for IPv6, so there is no passive mode at all',
      change: 'let the server, and an ALG on the way, know RFC 2428; or take its IPv6 address out of the DNS',
    },
    'helper-knows-only-pasv': {
      seen: 'the port of a PASV opens, and that of an EPSV does not',
      means:
        'a helper on the way opens what a 227 says and does not read a 229 (or the firewall has opened only a part of the range). curl and others try EPSV first and hang',
      change: 'open the whole range, use a helper that knows RFC 2428, or let the server refuse EPSV',
    },
    'helper-knows-only-epsv': {
      seen: 'the port of an EPSV opens, and that of a PASV does not',
      means:
        'a helper on the way opens what a 229 says and not what the 227 says (or the firewall has opened only a part of the range)',
      change:
        'open the whole range, or see why the helper does not take the 227: most do not if its address is another',
    },
    'active-fine': { seen: '{command}: a data connection comes from {address} port {port}' },
    'active-refused': {
      seen: '{command} was refused: {reply}',
      means: 'the server does not do active mode, or not for this client',
      change: 'allow it if clients need it: passive mode is enough for most',
    },
    'active-extended-refused': {
      seen: 'EPRT was refused, and PORT was not: {reply}',
      means: 'clients that try it first go on with PORT, one command later',
      change: 'let the server, and an ALG on the way, know RFC 2428',
    },
    'active-not-rewritten': {
      seen: '{command} with the own address {own} failed: {reply}',
      means:
        'this client is behind a NAT, and no helper there put in its address from outside: the server heard one that it cannot or will not connect to',
      change: 'use passive mode, or turn on the FTP helper of the NAT on the client side',
    },
    'active-blocked': {
      seen: '{command} was accepted, and no connection came to {own}: {reply}',
      means:
        "a firewall on the way drops or rejects what the server opens: the client's own, one without an FTP helper in between, or the server's for what goes out",
      change:
        'use passive mode; else let a helper follow the control connection, and let the server connect from port 20',
    },
    'active-silent': {
      seen: '{command} was accepted, and neither a connection to {own} nor a reply came in {seconds} s',
      means:
        "a firewall on the way drops what the server opens: the client's own, one without an FTP helper in between, or the server's for what goes out",
      change:
        'use passive mode; else let a helper follow the control connection, and let the server connect from port 20',
    },
    'active-unfinished': {
      seen: '{command}: the data connection came, and the listing failed: {reply}',
      means: 'the connection is cut or its packets are lost on the way',
      change: "read the server's log",
    },
    'active-source-port': {
      seen: '{command}: the data connection came from port {port}, not from {expected}',
      means:
        'firewalls that let only port {expected} in drop it. The server may not use {expected}, or a NAT changed it',
      change: 'let the server connect from port {expected}',
    },
    'active-source-address': {
      seen: '{command}: the data connection came from {source}, the server was reached at {reached}',
      means: 'firewalls and helpers expect it from the address that was reached, and drop it',
      change:
        'let the server connect from the address that clients reach: source NAT for its active connections',
    },
    'active-rewritten': {
      seen: '{command} named {own}, and the server connected although it sees this client elsewhere ({seen})',
      means: 'a helper or ALG on the way rewrote the command. It can do so only without TLS',
      change: 'nothing',
    },
    'helper-knows-only-port': {
      seen: 'after PORT a connection comes, after EPRT none',
      means: 'a helper on the way reads PORT and does not read EPRT',
      change: 'use a helper that knows RFC 2428, or passive mode',
    },
    'features-fine': { seen: 'supported: {commands}' },
    'size-missing': {
      seen: 'SIZE is not supported: {reply}',
      means: 'clients cannot show progress, and some cannot resume an upload',
      change: 'allow the command where it is turned off',
    },
    'mdtm-missing': {
      seen: 'MDTM is not supported: {reply}',
      means: 'clients cannot compare dates of files',
      change: 'allow the command where it is turned off',
    },
    'rest-missing': {
      seen: 'REST is not supported: {reply}',
      means: 'a transfer that was cut has to begin anew',
      change: 'allow the command where it is turned off',
    },
    'abor-missing': {
      seen: 'ABOR is not supported: {reply}',
      means: 'who cancels a transfer loses the session',
      change: 'allow the command where it is turned off, and let it pass the firewall',
    },
    'tls-fine': { seen: 'AUTH TLS: passive mode works over TLS too' },
    'tls-none': {
      seen: 'AUTH TLS was refused: {reply}',
      means: 'passwords and data go over the net in clear',
      change: 'nothing, if that is meant; FTP through a helper works only without TLS',
    },
    'tls-handshake-failed': {
      seen: 'AUTH TLS was accepted, and the handshake failed ({code})',
      means:
        'server and client agree on no version or cipher, the server has no usable certificate, or something on the way cuts it',
      change: "read the server's log, and see to its certificate and key",
    },
    'tls-certificate': {
      seen: 'the certificate of the server is not trusted ({code})',
      means: 'clients ask their users or refuse. For what follows it was taken as it is',
      change: 'get a certificate for the name that clients use',
    },
    'tls-login-refused': {
      seen: 'over TLS the login of {user} was refused, and without TLS it was not: {reply}',
      means: 'clients that use TLS whenever it is offered cannot log in',
      change: "read the server's log; the settings for logins over TLS are separate",
    },
    'tls-blinds-address': {
      seen: 'without TLS the 227 says {plain}, over TLS it says {tls}',
      means:
        'a helper on the way rewrites the address and is blind over TLS: clients that use TLS are told an address of the inside',
      change:
        'put Pinhole in the place of the helper and let it end TLS (--tls terminate, docs/ftps.md); or let the server announce the address from outside itself, and forward a fixed range of ports to it',
    },
    'tls-blinds-port': {
      seen: 'without TLS the passive port opens, over TLS port {port} of {address} does not',
      means: 'a helper on the way opens the ports that it reads, and is blind over TLS: the listing hangs',
      change:
        'put Pinhole in the place of the helper and let it end TLS (--tls terminate, docs/ftps.md); or give the server a fixed range of passive ports, open and forward all of it, and let the server announce the address from outside',
    },
    'idle-fine': { seen: 'the control connection lives after {seconds} s of silence' },
    'idle-timeout': {
      seen: 'after {seconds} s of silence the server ended the session: {reply}',
      means: 'its own limit for idle sessions is shorter than what was asked for',
      change: 'raise the limit',
    },
    'idle-closed': {
      seen: 'after {seconds} s of silence the control connection was closed without a word',
      means: 'a firewall, a load balancer or a relay on the way ends idle connections, or the server does',
      change: 'raise the limit of what is on the way, or have keep-alive packets sent more often than that',
    },
    'idle-silent': {
      seen: 'after {seconds} s of silence there was no answer any more',
      means:
        'a NAT or firewall on the way has forgotten the connection. Long transfers end this way too: the control connection is silent meanwhile',
      change: 'raise the limit of what is on the way, or have keep-alive packets sent more often than that',
    },
  },
} as const;
