import type { Argv } from 'yargs';
import { whole, type Readable } from '../../config/kinds.ts';
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

/** The number of a session, as `list` has it. */
export const sessionNumber: Readable<number> = {
  ...whole(1, 999_999_999),
  allowed: 'the number of a session (npx pinhole list)',
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
