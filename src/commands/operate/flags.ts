import type { Argv } from 'yargs';

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
