/**
 * What Node has beneath a connection, a listener or TLS, with these properties as far as this Node has them; null after
 * its end.
 */
export function handleOf<Shape>(holder: object): Partial<Shape> | null | undefined {
  return (holder as { readonly _handle?: Partial<Shape> | null })._handle;
}
