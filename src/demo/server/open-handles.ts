import { Server, type Socket } from 'node:net';

/** Everything of the server that the event loop holds open, so that closing it can end and await all of it. */
export class OpenHandles {
  readonly #handles = new Set<Server | Socket>();
  #closing = false;

  /** Takes over a socket or a listener until it closes; when the server is closing already, ends it at once. */
  add<T extends Server | Socket>(handle: T): T {
    this.#handles.add(handle);
    handle.once('close', () => this.#handles.delete(handle));
    if (this.#closing) end(handle);
    return handle;
  }

  async closeAll(): Promise<void> {
    this.#closing = true;
    const closed = [...this.#handles].map(
      (handle) =>
        new Promise<void>((resolve) =>
          handle.once('close', () => {
            resolve();
          }),
        ),
    );
    for (const handle of this.#handles) end(handle);
    await Promise.all(closed);
  }
}

function end(handle: Server | Socket): void {
  if (handle instanceof Server) handle.close();
  else handle.destroy();
}
