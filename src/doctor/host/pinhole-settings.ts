import type { Config } from '../../config/config.ts';
import { isReachable, listenInFront } from '../../config/listening.ts';
import { loadConfig } from '../../config/load.ts';
import { tlsPolicyOf } from '../../config/tls-policy.ts';
import type { CarryingSettings } from '../../helper/carrying.ts';
import { messageOf } from '../../net/error.ts';
import type { FtpService } from './ftp-service.ts';
import type { Listener } from './listening.ts';

/** Pinhole's own configuration; undefined where it refuses it. */
export function readPinhole(file: string, text: string): Config | undefined {
  try {
    return loadConfig({ flags: { config: file }, env: {}, readFile: () => text }).config;
  } catch {
    return undefined;
  }
}

/** Why Pinhole refuses its configuration. */
export function pinholeRefusal(file: string, text: string): string {
  try {
    loadConfig({ flags: { config: file }, env: {}, readFile: () => text });
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

/** The relay as firewalls see it: a server of FTP. */
export function serviceOfPinhole(file: string, config: Config): FtpService {
  const { listenTls, passivePorts, publicAddress } = config;
  const [first] = listenInFront(config);
  return {
    program: 'pinhole',
    file,
    controlPort: first === undefined || first.port === 0 ? 21 : first.port,
    tlsPorts: listenTls.filter((each) => each.port !== 0 && isReachable(each)).map(({ port }) => port),
    listenAddress: first?.address,
    isPassive: true,
    passiveFrom: { value: passivePorts.first, line: 0 },
    passiveTo: { value: passivePorts.last, line: 0 },
    address: publicAddress === undefined ? undefined : { value: publicAddress, line: 0 },
    activePort: undefined,
    unprivileged: undefined,
    tls: undefined,
  };
}

/** What decides whether this process or the kernel carries data. */
export function carryingOf(config: Config): CarryingSettings {
  return { plane: config.plane, tls: tlsPolicyOf(config) };
}

/** The relay of which nothing is known but where it listens. */
export function serviceSeen(file: string, { port }: Listener): FtpService {
  return {
    program: 'pinhole',
    file,
    controlPort: port,
    listenAddress: undefined,
    isPassive: true,
    passiveFrom: undefined,
    passiveTo: undefined,
    address: undefined,
    activePort: undefined,
    unprivileged: undefined,
    tls: undefined,
    isPartial: true,
  };
}
