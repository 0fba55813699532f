import type { Argv } from 'yargs';
import { whole, type Readable } from '../../config/kinds.ts';
import type { OfProcess } from './draining.ts';
import { parseAddress, type Address } from '../../net/address.ts';

/** What every command has that asks a running relay. */
export interface AdminFlags {
  readonly admin?: string | undefined;
}

export function withAdmin<T>(yargs: Argv<T>): Argv<T & AdminFlags> {
  return yargs.option('admin', {
    type: 'string',
    requiresArg: true,
    describe:
      'the admin socket of the relay (default: PINHOLE_ADMIN, or the first that answers of admin.sock here, /run/pinhole/admin.sock, and the one in XDG_RUNTIME_DIR)',
  });
}

/** A session: its number, and the process that it is of where that drains. */
export interface SessionName extends OfProcess {
  readonly id: number;
}

const number = whole(1, 999_999_999);

/** The number of a session, as `list` has it: `7`, or `4711:7`. */
export const sessionName: Readable<SessionName> = {
  allowed: 'the number of a session (npx pinhole list)',
  many: false,
  isSwitch: false,
  read: (text) => {
    const [, , pid, digits = ''] = /^((\d+):)?(\d+)$/.exec(text) ?? [];
    const id = number.read(digits);
    const process = pid === undefined ? undefined : number.read(pid);
    if ('wrong' in id || (process && 'wrong' in process)) return { wrong: text };
    return { value: { id: id.value, ...(process && { process: process.value }) } };
  },
};

/** The process id of a relay that drains. */
export const processId: Readable<number> = {
  ...number,
  allowed: 'the process id of a relay that drains (npx pinhole status)',
};

/** The address of a client. */
export const clientAddress: Readable<Address> = {
  allowed: 'an IPv4 or IPv6 address',
  many: false,
  isSwitch: false,
  read: (text) => {
    const value = parseAddress(text);
    return value === undefined ? { wrong: text } : { value };
  },
};
