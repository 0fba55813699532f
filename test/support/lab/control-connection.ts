import { setTimeout as delay } from 'node:timers/promises';

import { addresses, type Family, type Host, type Network } from './network.ts';
import type { LabProcess } from './process.ts';
import type { LabServer } from './servers.ts';

export interface ControlOptions {
  /** The namespace that it runs in, `client` unless told. */
  host?: 'client' | 'stranger';
  /** 4 unless told. */
  family?: Family;
  /** The gateway's public one unless told. */
  readonly address?: string;
}

/** A control connection to the relay that the test itself leads, from one of the lab's hosts. */
export class ControlConnection {
  readonly #process: LabProcess;

  private constructor(process: LabProcess) {
    this.#process = process;
  }

  static async login(
    network: Network,
    { user, password }: LabServer,
    { host = 'client', family = 4, address = addresses[family].public }: ControlOptions = {},
  ): Promise<ControlConnection> {
    const script = `exec 3<>/dev/tcp/${address}/21; cat <&3 & cat >&3; kill $!`;
    const control = new ControlConnection(network.spawn(host, ['bash', '-c', script], { interactive: true }));
    await control.expect(/^220 /m);
    control.send(`USER ${user}`);
    control.send(`PASS ${password}`);
    await control.expect(/^230 /m);
    control.send('TYPE I');
    await control.expect(/^200 /m);
    return control;
  }

  send(line: string): void {
    this.#process.write(`${line}\r\n`);
  }

  /** Looks at all that has come so far. */
  expect(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#process.waitForOutput(pattern);
  }

  /** The port that PASV gives. */
  async passive(): Promise<number> {
    this.send('PASV');
    const [, high, low] = await this.expect(/^227 .*,(\d+),(\d+)\)/m);
    return Number(high) * 256 + Number(low);
  }

  /** The port that EPSV gives. */
  async extendedPassive(): Promise<number> {
    this.send('EPSV');
    const [, port] = await this.expect(/^229 .*\|\|\|(\d+)\|/m);
    return Number(port);
  }

  async quit(): Promise<void> {
    this.send('QUIT');
    await this.expect(/^221 /m);
    await this.end();
  }

  async end(): Promise<void> {
    await this.#process.stop();
  }
}

/** Prints how connecting went. */
export async function connectFrom(
  network: Network,
  host: Host,
  address: string,
  port: number,
): Promise<string> {
  const argv = ['timeout', '5', 'bash', '-c', connecting(address, port)];
  const { stdout, stderr } = await network.exec(host, argv);
  return stdout + stderr;
}

/**
 * Connects until a condition holds that shows what became of the first packet, then gives up. Throws where the
 * connection comes about or is refused, or the condition does not hold within 10 s.
 */
export async function connectUntil(
  network: Network,
  host: Host,
  address: string,
  port: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const attempt = network.spawn(host, ['bash', '-c', connecting(address, port)]);
  const fail = (how: string): never => {
    throw new Error(`${host} to ${address} port ${port}: ${how}`);
  };
  const said = (): string => attempt.stdout() + attempt.stderr();
  try {
    const end = Date.now() + 10_000;
    while (!(await holds())) {
      if (said() !== '') fail(said());
      if (Date.now() > end) fail('nothing came of it');
      await delay(10);
    }
  } finally {
    await attempt.stop();
  }
  if (said() !== '') fail(said());
}

function connecting(address: string, port: number): string {
  return `exec 3<>/dev/tcp/${address}/${port} && echo connected`;
}
