import { rulesOf, type Firewall } from './firewall.ts';

/** Those of the host where they are known; else those in its rules, and another. None: it is not asked. */
export function interfacesOf(firewall: Firewall): readonly string[] {
  const known = interfacesOfFirewalls.get(firewall);
  if (known) return known;
  const named = new Set(
    rulesOf(firewall.tables).flatMap(({ rule }) =>
      rule.matches.flatMap((match) =>
        match.kind === 'in-interface' || match.kind === 'out-interface' ? match.names : [],
      ),
    ),
  );
  // No name has a slash: it is that of another.
  const names = [...named].filter((name) => isInterfaceName(name) && !isNoClients(name));
  const others = names.map((name) => {
    const prefix = interfacePrefix(name);
    return prefix === undefined ? name : `${prefix}/`;
  });
  const all = firewall.interfaces ?? [...new Set([...others, '/'])];
  const found = names.length === 0 || all.length > mostInterfaces ? [] : all;
  interfacesOfFirewalls.set(firewall, found);
  return found;
}

/** Asked for each port. */
const interfacesOfFirewalls = new WeakMap<Firewall, readonly string[]>();

/** For each of them the chains are gone through. */
const mostInterfaces = 16;

/** No client comes by it. */
export function isNoClients(name: string): boolean {
  return name === 'lo' || isOfContainers(name);
}

/** Whether it says which it is: not a set, a variable or a number. */
export function isInterfaceName(name: string): boolean {
  return !/^(?:[@$]|\d+$|$)/.test(name);
}

/** What all names of such a form begin with; undefined: it is one name. */
function interfacePrefix(name: string): string | undefined {
  return /[+*]$/.test(name) ? name.slice(0, -1) : undefined;
}

/** Whether one of the names is this one, or all that begin as it does. */
export function isAmong(names: readonly string[], own: string): boolean {
  for (const name of names) {
    const prefix = interfacePrefix(name);
    if (prefix === undefined ? name === own : own.startsWith(prefix)) return true;
  }
  return false;
}

/** A bridge of containers, by the names that Docker and Podman give: a server in one is reached through it. */
export function isOfContainers(name: string): boolean {
  return /^(?:docker\d+|br-[0-9a-f]{12}|podman\d+|cni-podman\d+)$/.test(name);
}
