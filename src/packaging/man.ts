import { summary } from '../commands/main.ts';
import { settings } from '../config/table.ts';
import type { CommandDescription, Flag } from './commands.ts';

/** What every page is dated and signed with. */
export interface Edition {
  readonly version: string;
  /** `2026-11-28` */
  readonly date: string;
}

const config = '/etc/pinhole/pinhole.toml';

/** The pages by their file names: `pinhole.1`, one a command, `pinhole.toml.5`. */
export function manPages(commands: readonly CommandDescription[], edition: Edition): Map<string, string> {
  return new Map([
    ['pinhole.1', programPage(commands, edition)],
    ...commands.map((one) => [`pinhole-${one.name}.1`, commandPage(one, commands, edition)] as const),
    ['pinhole.toml.5', filePage(commands, edition)],
  ]);
}

function programPage(commands: readonly CommandDescription[], edition: Edition): string {
  return page([
    heading('PINHOLE', 1, edition),
    ...section('NAME', `pinhole \\- ${escape('FTP relay that works through NAT and firewalls')}`),
    ...section('SYNOPSIS', '.B pinhole', '.I COMMAND', '.RI [ OPTIONS ]'),
    ...section(
      'DESCRIPTION',
      escape(summary),
      '.PP',
      escape(
        'It is a relay in front of an internal FTP server. It reads the control connection, replaces the addresses in PORT, EPRT, 227 and 229, and opens one pinhole for each announced data connection.',
      ),
    ),
    ...section(
      'COMMANDS',
      ...commands.flatMap(({ name, description }) => [
        '.TP',
        `.BR pinhole\\-${escape(name)} (1)`,
        escape(sentence(description)),
      ]),
    ),
    ...section(
      'OPTIONS',
      '.TP',
      '.BR \\-h ", " \\-\\-help',
      'Show help; after a command, its own.',
      '.TP',
      '.B \\-\\-version',
      'Show the version.',
    ),
    ...exitStatus,
    ...section(
      'FILES',
      ...tagged(config, 'The settings of the service.'),
      ...tagged('/run/pinhole/admin.sock', 'The admin socket of the service; the group pinhole may use it.'),
      ...tagged('/usr/share/doc/pinhole/docs', 'The documentation; install.md first.'),
    ),
    ...seeAlso(['pinhole.toml(5)', ...commands.map(({ name }) => `pinhole-${name}(1)`), 'systemctl(1)']),
  ]);
}

function commandPage(
  command: CommandDescription,
  commands: readonly CommandDescription[],
  edition: Edition,
): string {
  const { name, description, synopsis, flags, examples, epilogue } = command;
  const groups = [...new Set(flags.map(({ group }) => group))];
  const others = commands.filter((each) => each !== command).map((each) => `pinhole-${each.name}(1)`);
  return page([
    heading(`PINHOLE-${name.toUpperCase()}`, 1, edition),
    ...section('NAME', escape(`pinhole-${name}`) + ` \\- ${escape(lowerFirst(description))}`),
    ...section('SYNOPSIS', `.B pinhole ${escape(name)}`, escape(synopsis.slice(name.length).trim())),
    ...section('DESCRIPTION', escape(sentence(description)), ...(epilogue ? ['.PP', escape(epilogue)] : [])),
    ...(command.arguments.length > 0
      ? section('ARGUMENTS', ...command.arguments.flatMap((each) => tagged(each.name, each.description)))
      : []),
    ...section(
      'OPTIONS',
      ...groups.flatMap((group) => [
        `.SS ${escape(group)}`,
        ...flags.filter((flag) => flag.group === group).flatMap(flagLines),
      ]),
    ),
    ...(examples.length > 0
      ? section(
          'EXAMPLES',
          ...examples.flatMap((each) => tagged(`pinhole ${each.command}`, sentence(each.description))),
        )
      : []),
    ...exitStatus,
    ...seeAlso(['pinhole(1)', 'pinhole.toml(5)', ...others]),
  ]);
}

function filePage(commands: readonly CommandDescription[], edition: Edition): string {
  const groups = [...new Set(settings.map(({ group }) => group))];
  return page([
    heading('PINHOLE.TOML', 5, edition),
    ...section('NAME', 'pinhole.toml \\- settings of pinhole'),
    ...section('SYNOPSIS', `.I ${escape(config)}`),
    ...section(
      'DESCRIPTION',
      escape(
        'A file in TOML. Each key can also be a flag or an environment variable: a flag overrides the variable, the variable overrides the file, and the file overrides the default. A duration is a number of seconds, or a value like "500ms", "300s", "5m" or "1h". An unknown key is an error, and so is a value that is not allowed.',
      ),
      '.PP',
      escape(
        '"systemctl reload pinhole" applies a change where it can change in a live process; a reload is all or nothing.',
      ),
    ),
    ...section(
      'SETTINGS',
      ...groups.flatMap((group) => [
        `.SS ${escape(group)}`,
        ...settings
          .filter((setting) => setting.group === group)
          .flatMap(({ key, variable, description, allowed, defaultText }) => [
            ...tagged(key, sentence(description)),
            '.br',
            escape(`Allowed: ${allowed}.`),
            '.br',
            escape(`Default: ${defaultText === '' ? 'none' : defaultText}. Variable: ${variable}.`),
          ]),
      ]),
    ),
    ...section(
      'EXAMPLE',
      '.nf',
      ...[
        'server = "192.168.1.10"',
        'listen = [21]',
        'public-address = "ftp.example.org"',
        'passive-ports = "50000-50199"',
        'idle-timeout = "30m"',
      ].map(escape),
      '.fi',
    ),
    ...section('FILES', `.I ${escape(config)}`),
    ...seeAlso(['pinhole(1)', ...commands.map(({ name }) => `pinhole-${name}(1)`)]),
  ]);
}

const exitStatus = section(
  'EXIT STATUS',
  '.TP',
  '.B 0',
  'It was done.',
  '.TP',
  '.B 1',
  'It could not be done.',
  '.TP',
  '.B 2',
  'The words of the call or the configuration are wrong.',
);

function flagLines({ name, takesValue, description, defaultText, choices }: Flag): string[] {
  const words = choices.length > 0 && !description.includes(choices.join(', ')) ? choices : [];
  return [
    '.TP',
    `.B ${escape(`--${name}`)}${takesValue ? ' \\fIVALUE\\fR' : ''}`,
    escape(sentence(description)),
    ...(words.length > 0 ? [escape(`Allowed: ${words.join(', ')}.`)] : []),
    ...(defaultText === '' ? [] : [escape(`Default: ${defaultText}.`)]),
  ];
}

function heading(title: string, number: number, { version, date }: Edition): string {
  return `.TH ${escape(title)} ${number} "${date}" "pinhole ${version}" "Pinhole"`;
}

function section(title: string, ...lines: string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', `.B ${escape(tag)}`, escape(text)];
}

function seeAlso(pages: readonly string[]): string[] {
  const words = pages.map((each, index) => {
    const [, name = '', number = ''] = /^(.*)\((\d)\)$/.exec(each) ?? [];
    return `.BR ${escape(name)} (${number})${index < pages.length - 1 ? ',' : ''}`;
  });
  return section('SEE ALSO', ...words);
}

function page(lines: readonly string[]): string {
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

/** Text as roff has it: a dash that is one, a backslash, and no line that begins like a request. */
function escape(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /\.\)?$/.test(upper) ? upper : `${upper}.`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
