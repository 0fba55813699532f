import { loadConfig, type Config } from '../../config.ts';
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

/** The relay as firewalls see it: a server of FTP. */
export function serviceOfPinhole(file: string, { listen, passivePorts, publicAddress }: Config): FtpService {
  const [first] = listen ?? [];
  return {
    program: 'pinhole',
    file,
    controlPort: first === undefined || first.port === 0 ? 21 : first.port,
    listenAddress: first?.address,
    isPassive: true,
    passiveFrom: { value: passivePorts.first, line: 0 },
    passiveTo: { value: passivePorts.last, line: 0 },
    address: publicAddress === undefined ? undefined : { value: publicAddress, line: 0 },
    usesPort20: false,
    unprivileged: undefined,
    tls: undefined,
  };
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
    usesPort20: false,
    unprivileged: undefined,
    tls: undefined,
    isPartial: true,
  };
}
