/** The deployments whose rules the folder rules/ holds, with the flags of `pinhole rules` that make them. */
export const references: readonly { readonly name: string; readonly what: string; readonly flags: string }[] =
  [
    {
      name: 'in-front',
      what: 'Pinhole on a host that does not forward, the server behind it at 10.77.0.2',
      flags: '--server 10.77.0.2 --open-ports 22',
    },
    {
      name: 'in-front-same-host',
      what: 'Pinhole and the server on one host, the server on 127.0.0.1:2121',
      flags: '--server 127.0.0.1:2121 --open-ports 22',
    },
    {
      name: 'gateway',
      what: 'Pinhole on the gateway, which copies the data',
      flags: '--deployment gateway --server 10.77.0.2 --listen 203.0.113.1:21 --open-ports 22',
    },
    {
      name: 'gateway-kernel-plane',
      what: 'Pinhole on the gateway, the kernel forwards the data: with the rule for the mark',
      flags: '--plane kernel --server 10.77.0.2 --listen 203.0.113.1:21 --open-ports 22',
    },
    {
      name: 'gateway-kernel-plane-tls',
      what: 'as gateway-kernel-plane, with TLS of clients terminated at Pinhole, implicit on port 990',
      flags:
        '--plane kernel --server 10.77.0.2 --listen 203.0.113.1:21 --open-ports 22 --tls terminate --listen-tls 203.0.113.1:990 --tls-cert cert.pem --tls-key key.pem',
    },
    {
      name: 'gateway-intercept',
      what: 'Pinhole on the gateway, for the clients of 10.77.0.0/24 and external servers',
      flags:
        '--intercept --plane kernel --listen 10.77.0.1:21 --client-networks 10.77.0.0/24 --open-ports 22',
    },
    {
      name: 'gateway-ipv6',
      what: 'Pinhole on the gateway over IPv6, the server behind it at fd77::2',
      flags: '--deployment gateway --server [fd77::2]:21 --listen [2001:db8::1]:21 --open-ports 22',
    },
    {
      name: 'gateway-keep-client-address',
      what: "Pinhole on the gateway, the server sees the clients' own addresses",
      flags: '--keep-client-address --server 10.77.0.2 --listen 203.0.113.1:21 --open-ports 22',
    },
    {
      name: 'gateway-intercept-relay-plane',
      what: 'as gateway-intercept, but Pinhole copies the data',
      flags: '--intercept --listen 10.77.0.1:21 --client-networks 10.77.0.0/24 --open-ports 22',
    },
    {
      name: 'kernel-helper',
      what: "without Pinhole: the kernel's helper on the gateway, the server behind it at 10.77.0.2",
      flags: '--deployment kernel-helper --server 10.77.0.2 --listen 203.0.113.1:21 --open-ports 22',
    },
    {
      name: 'kernel-helper-on-the-server',
      what: "without Pinhole: the kernel's helper on the FTP server itself",
      flags: '--deployment kernel-helper --open-ports 22',
    },
    {
      name: 'server-alone',
      what: 'without Pinhole and without a helper: an FTP server with a fixed range of open passive ports',
      flags: '--deployment server-alone --open-ports 22',
    },
  ];
