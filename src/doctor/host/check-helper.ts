import { listenInFront } from '../../config/listening.ts';
import { fine, type Finding } from '../finding.ts';
import { controlPorts, forwardingOf, hasHelper, helperOf, helperSysctl, type Facts } from './facts.ts';
import { helperRule, seesTranslated } from './helper-rule.ts';
import { readModulesLines } from './iptables-config.ts';
import { helperModule, natHelperModule } from './modules.ts';
import { helperRemedy, programOf, ruleRemedy, remedy } from './remedies.ts';
import { fault, note } from './say.ts';

/** The kernel's own helper for FTP: whether it is there, at work, and not at work beside Pinhole. */
export function checkHelper(facts: Facts): Finding[] {
  const beside = checkBesidePinhole(facts);
  return [
    ...beside,
    ...checkBehindTranslation(facts),
    ...checkModules(facts),
    ...checkSysctl(facts, beside.length > 0),
    ...checkUnused(facts),
    ...checkBlind(facts),
  ];
}

/** What a server encrypts the helper cannot read, whatever else opens its ports. */
function checkBlind(facts: Facts): Finding[] {
  if (facts.pinhole) return [];
  return facts.servers
    .filter(({ tls, controlPort }) => tls !== undefined && hasHelper(facts, controlPort))
    .map(({ program, file, controlPort: port, tls }) =>
      note('helper-blind-to-tls', {
        values: { program, setting: tls?.value ?? '', port },
        file,
        line: tls?.line ?? 0,
      }),
    );
}

/** Both rewrite the dialogue then, and the second finds nothing that it knows. */
function checkBesidePinhole(facts: Facts): Finding[] {
  const config = facts.pinhole?.config;
  if (config === undefined) return [];
  const listeners = [...listenInFront(config), ...config.listenTls];
  const ports = [...new Set(listeners.map(({ port }) => port))];
  return ports.flatMap((port) => checkBeside(facts, port));
}

function checkBeside(facts: Facts, port: number): Finding[] {
  for (const firewall of facts.firewalls) {
    const found = helperRule(firewall, port);
    if (found?.isCertain !== true) continue;
    const { rule, chain, table } = found;
    const [line = ''] = ruleRemedy(firewall, chain, rule.words).lines;
    const remedies =
      firewall.syntax === 'iptables'
        ? [remedy('iptables', `${programOf(firewall)} -t ${table.name} -D ${line.slice('-A '.length)}`)]
        : [remedy('nftables', `# ${line}`)];
    return [
      fault('helper-and-pinhole', { values: { port }, file: firewall.file, line: rule.line, remedies }),
    ];
  }
  const sysctl = facts.sysctls.get(helperSysctl);
  if (sysctl?.value !== '1' || port !== 21 || facts.modules?.has(helperModule) !== true) return [];
  const remedies = [remedy('shell', `sysctl -w ${helperSysctl}=0`)];
  const file = facts.sources.sysctl?.file ?? '';
  return [fault('helper-and-pinhole', { values: { port }, file, line: sysctl.line, remedies })];
}

/** A helper's rule sees the port before the translation or after it, by where it stands. */
function checkBehindTranslation(facts: Facts): Finding[] {
  return controlPorts(facts).flatMap((controlPort) => {
    const forwarding = forwardingOf(facts, controlPort);
    if (forwarding === undefined || helperOf(facts, controlPort)) return [];
    const { outside, inside } = forwarding;
    if (outside === inside) return [];
    return facts.firewalls.flatMap((firewall) => {
      // The same rule where the ports change places.
      const found = helperRule(firewall, inside, outside);
      if (found === undefined) return [];
      const { rule, chain } = found;
      const wanted = seesTranslated(chain, firewall.syntax) ? inside : outside;
      const words = rule.words.map((word) =>
        word === String(outside + inside - wanted) ? String(wanted) : word,
      );
      const values = { port: outside + inside - wanted, wanted, outside, inside };
      const remedies =
        firewall.syntax === 'iptables'
          ? [helperRemedy(firewall, wanted)]
          : [ruleRemedy(firewall, chain, words)];
      return [fault('helper-behind-translation', { values, file: firewall.file, line: rule.line, remedies })];
    });
  });
}

function checkModules(facts: Facts): Finding[] {
  const { modules, sources } = facts;
  if (modules === undefined || facts.pinhole) return [];
  const file = sources.modules?.file ?? '';
  const isAutomatic = facts.sysctls.get(helperSysctl)?.value === '1';
  const ports = controlPorts(facts).filter(
    (port) => hasHelper(facts, port) || (isAutomatic && port === 21 && facts.front.length > 0),
  );
  if (ports.length === 0) return [];
  const missing = (module: string): Finding =>
    fault('helper-module-missing', {
      values: { module },
      file,
      remedies: [
        { target: 'shell', lines: [`modprobe ${module}`] },
        { target: 'iptables-config', lines: [`IPTABLES_MODULES="${helperModule} ${natHelperModule}"`] },
      ],
    });
  if (!modules.has(helperModule)) return [missing(helperModule)];
  const isTranslated = ports.some((port) => forwardingOf(facts, port));
  if (isTranslated && !modules.has(natHelperModule)) return [missing(natHelperModule)];
  return [fine('helper-loaded', { module: helperModule })];
}

function checkSysctl({ sysctls, sources: { sysctl } }: Facts, isTold: boolean): Finding[] {
  const found = sysctls.get(helperSysctl);
  if (found?.value !== '1' || isTold) return [];
  const remedies = [remedy('shell', `sysctl -w ${helperSysctl}=0`)];
  return [note('helper-by-sysctl', { file: sysctl?.file ?? '', line: found.line, remedies })];
}

/** A module that is loaded and that no rule gives anything to do. */
function checkUnused(facts: Facts): Finding[] {
  const { modules, sources, firewalls, sysctls, pinhole } = facts;
  const [firewall] = firewalls;
  if (firewall === undefined || pinhole) return [];
  const port = controlPorts(facts)[0] ?? 21;
  if (hasHelper(facts, port) || sysctls.get(helperSysctl)?.value === '1') return [];
  const configured = readModulesLines(sources.iptablesConfig?.text ?? '').find(({ value }) =>
    value.includes(helperModule),
  );
  const isLoaded = modules?.has(helperModule) === true;
  if (!isLoaded && configured === undefined) return [];
  const place = isLoaded
    ? { file: sources.modules?.file ?? '' }
    : { file: sources.iptablesConfig?.file ?? '', line: configured?.line ?? 0 };
  return [
    note('helper-unused', {
      values: { module: helperModule, port },
      ...place,
      remedies: [helperRemedy(firewall, port)],
    }),
  ];
}
