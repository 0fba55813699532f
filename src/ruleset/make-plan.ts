import {
  RulesetError,
  usesPinhole,
  type Deployment,
  type Plan,
  type Rule,
  type RulesetOptions,
  type Served,
} from './plan.ts';
import { planServerAlone } from './server-alone.ts';
import { usesTls } from './tls.ts';
import { planWithHelper } from './with-helper.ts';
import { planWithPinhole } from './with-pinhole.ts';

const titles: Readonly<Record<Deployment, string>> = {
  'in-front': 'Pinhole in front of an FTP server',
  gateway: 'Pinhole on the gateway in front of an FTP server',
  'gateway-intercept': 'Pinhole on the gateway, for clients inside and servers outside',
  'kernel-helper': "The kernel's own FTP helper, without Pinhole",
  'server-alone': 'An FTP server with open passive ports, without Pinhole and without a helper',
};

/** @throws {RulesetError} */
export function planOf(options: RulesetOptions): Plan {
  const { deployment, openPorts, listen, tls } = options;
  for (const [setting, listeners] of Object.entries({ listen, 'listen-tls': tls.listen })) {
    if (listeners.some(({ port }) => port === 0)) {
      throw new RulesetError(
        `${setting}: port 0 means any free port, and rules need port numbers; allowed: 1 to 65535`,
      );
    }
  }
  if (deployment === 'kernel-helper' && usesTls(tls)) {
    throw new RulesetError(
      "deployment: kernel-helper, and the kernel's helper sees nothing after AUTH TLS, so data connections would be blocked; allowed: a deployment with Pinhole, or tls refuse and server-tls off",
    );
  }
  const served = servedBy(options);
  const besides: readonly Rule[] =
    openPorts.length > 0 ? [{ comment: 'what else this host serves', ports: openPorts }] : [];
  return { ...served, input: [...served.input, ...besides], options, heading: headingOf(options) };
}

function servedBy(options: RulesetOptions): Served {
  switch (options.deployment) {
    case 'kernel-helper':
      return planWithHelper(options);
    case 'server-alone':
      return planServerAlone(options);
    default:
      return planWithPinhole(options);
  }
}

function headingOf(options: RulesetOptions): string[] {
  const { deployment, plane, server, keepClientAddress, tls } = options;
  const how = !usesPinhole(options)
    ? ''
    : `, ${plane} plane${keepClientAddress ? ', keep-client-address' : ''}${tls.mode === 'refuse' ? '' : `, tls ${tls.mode}`}`;
  const whose = deployment === 'kernel-helper' && !server ? ', on the FTP server itself' : '';
  return [
    `${titles[deployment]}${how}${whose}. Made by: pinhole rules`,
    'Flows: control  client, port above 1023 -> port 21, and back',
    '       active   server, port 20 -> client, port above 1023 (PORT, EPRT), and back',
    '       passive  client, port above 1023 -> server, port above 1023 (227, 229), and back',
    '"And back" is what is established. What goes out from this host is not filtered. All else is dropped: what else it',
    'serves is named by --open-ports, what else it forwards needs rules of your own in the chain forward.',
    ...(deployment === 'kernel-helper'
      ? [
          'The helper is blind behind AUTH TLS: no data connection gets in there. Pinhole reads on: --tls terminate.',
        ]
      : []),
  ];
}
