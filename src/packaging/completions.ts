import type { CommandDescription, Flag } from './commands.ts';

/** What bash completes, for /usr/share/bash-completion/completions/pinhole. */
export function bashCompletion(commands: readonly CommandDescription[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap((flag) => {
      const reply = bashReply(flag);
      return reply === undefined ? [] : [`    ${name}:--${flag.name}) ${reply} ;;`];
    }),
  );
  return `# bash completion of pinhole
_pinhole() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} flags
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names} --help --version' -- "$current"))
    return
  fi
  case $command:$before in
${values.join('\n')}
    *)
      case $command in
${commands.map(({ name, flags }) => `        ${name}) flags='${flags.map((flag) => `--${flag.name}`).join(' ')}' ;;`).join('\n')}
        *) flags= ;;
      esac
      COMPREPLY=($(compgen -W "$flags" -- "$current"))
      ;;
  esac
}
complete -F _pinhole pinhole
`;
}

/** What completes the value of a flag; undefined: it has none. */
function bashReply({ takesValue, choices, isPath }: Flag): string | undefined {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current"))`;
  if (isPath) return 'COMPREPLY=($(compgen -f -- "$current"))';
  return takesValue ? ':' : undefined;
}

/** What zsh completes, for /usr/share/zsh/vendor-completions/_pinhole. */
export function zshCompletion(commands: readonly CommandDescription[]): string {
  const list = commands.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`).join('\n');
  const cases = commands.map(({ name, flags }) => {
    const specs = flags.map((flag) => `        ${quote(zshSpec(flag))}`).join(' \\\n');
    return `    ${name})\n      _arguments \\\n${specs}\n      ;;`;
  });
  return `#compdef pinhole
_pinhole() {
  local -a commands
  commands=(
${list}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
_pinhole "$@"
`;
}

function zshSpec({ name, description, takesValue, choices, isPath }: Flag): string {
  const what = description.replace(/[[\]\\:]/g, (sign) => `\\${sign}`);
  const value = choices.length > 0 ? `(${choices.join(' ')})` : isPath ? '_files' : '';
  return `*--${name}${takesValue ? '=' : ''}[${what}]${takesValue ? `:${name}:${value}` : ''}`;
}

/** What fish completes, for /usr/share/fish/vendor_completions.d/pinhole.fish. */
export function fishCompletion(commands: readonly CommandDescription[]): string {
  const lines = commands.flatMap(({ name, description, flags }) => [
    `complete -c pinhole -f -n __fish_use_subcommand -a ${name} -d ${fishQuote(description)}`,
    ...flags.map((flag) => fishFlag(name, flag)),
  ]);
  return `# fish completion of pinhole\n${lines.join('\n')}\n`;
}

function fishFlag(command: string, { name, description, takesValue, choices, isPath }: Flag): string {
  const words = choices.length > 0 ? ` -a ${fishQuote(choices.join(' '))}` : '';
  const value = takesValue ? (isPath ? ' -r -F' : ` -x${words}`) : ' -f';
  return `complete -c pinhole -n '__fish_seen_subcommand_from ${command}' -l ${name}${value} -d ${fishQuote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, (sign) => `\\${sign}`)}'`;
}
