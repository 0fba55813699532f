/** A dialogue as it is to be played, as data: what a seed makes, and what a kept finding is. */
import { Random } from './random.ts';
import type { EndKind } from './transcript.ts';

export type Mode = 'refuse' | 'terminate' | 'pass';

/**
 * What the client does. In texts: `{me}` and `{me.}` are its address with commas and points, `{p}` and `{P}` the port of a
 * listener that it opens for that, `{other}` and `{other.}` another host, `{relay.}` the address that it reached.
 */
export type Step =
  /** Cut into pieces at these places, each in a segment of its own. */
  | { readonly do: 'say'; readonly text: string; readonly cuts?: readonly number[] }
  /** Waits until nothing more happens. */
  | { readonly do: 'quiet' }
  /** Connects to what the last 227 or 229 has named. */
  | {
      readonly do: 'dial';
      readonly who: 'client' | 'stranger';
      readonly bytes: number;
      readonly end: EndKind | 'stay';
    }
  /** Begins TLS, where the last line was a 234. */
  | { readonly do: 'hello'; readonly how: 'proper' | 'cut' | 'garbage' | 'half' }
  /** Reads no more, and again. */
  | { readonly do: 'deaf' | 'hear' }
  | { readonly do: 'end'; readonly how: EndKind };

/** What the server does with a command. */
export type Act =
  /** As the RFCs have it; the seed chooses among what they allow. */
  | { readonly as: 'right'; readonly seed: number }
  /** `{server}` is its address, `{p}` and `{P}` the port of a listener that it opens for that, `{long}` 9000 letters. */
  | { readonly as: 'say'; readonly text: string; readonly cuts?: readonly number[] }
  /** Says this and closes. */
  | { readonly as: 'end'; readonly how: EndKind; readonly text: string }
  /** Says nothing, or the right thing behind what the next command gets. */
  | { readonly as: 'nothing' | 'late' };

/** How the dialogue ends if nobody has ended it: by QUIT, or as one of the peers does. */
type Ending = 'quit' | `${'client' | 'server'}-${EndKind}`;

export interface Dialogue {
  readonly client: readonly Step[];
  /** For the greeting, and for each command; behind the last of them the server does what is right. */
  readonly server: readonly Act[];
  readonly ending: Ending;
}

/** Whether nothing in it keeps a QUIT at its end from being answered. */
export function isClean({ client, server, ending }: Dialogue): boolean {
  const isCalm = client.every((step) => step.do !== 'end' && step.do !== 'hello' && !mayBreak(step));
  return ending === 'quit' && isCalm && server.every(({ as }) => as === 'right');
}

/** What may end a session, or leave a line open. */
function mayBreak(step: Step): boolean {
  return (
    step.do === 'say' &&
    (/auth/i.test(step.text) || !/^(?:\xff\xf4\xff\xf2)?[A-Za-z@]{3,4}(?: [^]*)?\r?\n$/.test(step.text))
  );
}

export function dialogueOf(seed: number, mode: Mode): Dialogue {
  const random = new Random(seed).fork(mode.length);
  const isOrderly = random.chance(0.5);
  const client = new ClientScript(random.fork(1), mode).steps();
  const server = serverActs(random.fork(2), isOrderly);
  const ending = random.weighted<Ending>([
    [12, 'quit'],
    [3, 'client-fin'],
    [2, 'client-reset'],
    [3, 'server-fin'],
    [2, 'server-reset'],
  ]);
  return { client, server, ending };
}

function serverActs(random: Random, isOrderly: boolean): Act[] {
  const count = random.between(4, 24);
  return Array.from({ length: count }, (_, index) => {
    if (isOrderly || random.chance(index < 3 ? 0.9 : 0.7)) return { as: 'right', seed: random.next() };
    return oddAct(random);
  });
}

function oddAct(random: Random): Act {
  const kind = random.weighted([
    [12, 'say'],
    [3, 'nothing'],
    [3, 'late'],
    [2, 'end'],
  ] as const);
  switch (kind) {
    case 'nothing':
    case 'late':
      return { as: kind };
    case 'end':
      return {
        as: 'end',
        how: random.chance(0.7) ? 'fin' : 'reset',
        text: random.pick([
          '',
          '22',
          '421 Going.\r\n',
          '227 Entering (1,2',
          '227 Entering ({server},{p})',
          '553-\r\n',
          '200 ok',
        ]),
      };
    case 'say': {
      const text = Array.from({ length: random.between(1, 3) }, () => oddText(random)).join('');
      return { as: 'say', text, ...cutsOf(text, random) };
    }
  }
}

const codes = [
  120, 125, 150, 200, 202, 211, 213, 220, 221, 225, 226, 227, 229, 230, 232, 234, 250, 257, 331, 332, 350,
  421, 425, 426, 450, 500, 501, 502, 503, 530, 550, 553, 631, 999, 100,
];

const announcements = [
  '227 Entering Passive Mode ({server},{p}).',
  '227 Entering Passive Mode. {server},{p}',
  '227 =0{server} , {p}',
  '227 Entering Passive Mode (10,0,0,1,{p})',
  '227 Entering Passive Mode ({server},0,21)',
  '227 Entering Passive Mode ({server},23,129)',
  '227 Entering Passive Mode ({server},300,1)',
  '227 Entering Passive Mode ({server})',
  '227 Entering Passive Mode (0,0,0,0,{p})',
  '227 ({server},{p}) or ({server},{p})',
  '227',
  '229 Entering Extended Passive Mode (|||{P}|)',
  '229 Entering !!!{P}! (extended)',
  '229 Entering (|1|{server.}|{P}|)',
  '229 Entering (||| {P} |)',
  '229 Entering (||{P}|)',
  '229 Entering (|||0|)',
  '229 Entering (|||99999|)',
  '229 Entering (|||80|)',
  '229 Entering',
];

function oddText(random: Random): string {
  const announcement = (): string => random.pick(announcements);
  const code = random.pick(codes);
  const eol = random.chance(0.9) ? '\r\n' : '\n';
  switch (random.below(12)) {
    case 0:
    case 1:
      return `${code} odd${eol}`;
    case 2:
      return `${code}-odd${eol}${announcement()}${eol}${code} end${eol}`;
    case 3:
      return `${code}-never ends${eol}${random.chance(0.5) ? `${announcement()}${eol}` : ''}`;
    case 4:
    case 5:
    case 6:
      return `${announcement()}${eol}`;
    case 7: {
      const kind = announcement().slice(0, 3);
      return `${kind}-first${eol}${announcement().replace(/^\d+/, '')}${eol}${kind} last${eol}`;
    }
    case 8:
      return `${code} ${'x'.repeat(random.between(8000, 9000))}${eol}`;
    case 9:
      return `${random.bytes(random.between(1, 60))}${random.chance(0.7) ? eol : ''}`;
    case 10:
      return `${code}${random.pick(['\t', ':', '', '(', '-', ' '])}${announcement()}${eol}`;
    default:
      return `${code}-a${eol}${random.pick(codes)} b${eol}${code} c${eol}`;
  }
}

function cutsOf(text: string, random: Random): { cuts?: number[] } {
  if (text.length < 2 || random.chance(0.6)) return {};
  const cuts = Array.from({ length: random.between(1, 4) }, () => random.between(1, text.length - 1));
  return { cuts: [...new Set(cuts)].sort((one, other) => one - other) };
}

const names = [
  'file',
  'a b',
  '..',
  '/',
  '',
  'x\xff\xffy',
  '\xc4\xe3\xba\xc3',
  '-la',
  '227 (1,2,3,4,5,6)',
  '(|||1|)',
  'x'.repeat(300),
];

const plain = (
  'PWD CWD CDUP TYPE_I TYPE_A STRU_F MODE_S NOOP SYST STAT HELP FEAT SITE SIZE MDTM DELE MKD RMD RNFR RNTO REST_0 ALLO_1 ' +
  'OPTS_UTF8_ON LANG MLST SMNT XYZZY XPWD CLNT'
).split(' ');

const transfers = ['RETR', 'STOR', 'LIST', 'NLST', 'MLSD', 'APPE', 'STOU'];

const setUps = [
  ['PASV', 6],
  ['EPSV', 6],
  ['PORT {me},{p}', 6],
  ['EPRT |1|{me.}|{P}|', 5],
  ['PORT  {me},{p} ', 1],
  ['port\t{me},{p}', 1],
  ['P@SW', 1],
  ['P@RT {me},{p}', 1],
  ['PORT {other},{p}', 1],
  ['PORT {me},0,21', 1],
  ['PORT {me},23,129', 1],
  ['PORT {me},0,0', 1],
  ['PORT {me},256,1', 1],
  ['PORT {me}', 1],
  ['PORT {me},{p},7', 1],
  ['PORT', 1],
  ['EPRT |1|{other.}|{P}|', 1],
  ['EPRT !1!{me.}!{P}!', 1],
  ['EPRT .1.{me.}.{P}.', 1],
  ['EPRT |2|::1|{P}|', 1],
  ['EPRT |3|x|{P}|', 1],
  ['EPRT |1|{me.}|99999|', 1],
  ['EPRT |1|{me.}|80|', 1],
  ['EPRT 1', 1],
  ['EPSV 1', 1],
  ['EPSV ALL', 1],
  ['EPSV 2', 1],
  ['PASV x', 1],
  ['LPRT 4,4,1,2,3,4,2,5,6', 1],
  ['SPSV', 1],
  ['CPSV', 1],
] as const;

const others = [
  'GET / HTTP/1.1',
  'POST /x HTTP/1.0',
  'OPTIONS sip:x SIP/2.0',
  'REGISTER sip:x SIP/2.0',
  'EHLO x',
  'HELO x',
  '\x16\x03\x01\x02\x00\x01',
  '\x00\x01',
  '\x05\x01\x00',
  'SSH-2.0-x',
  'PRI * HTTP/2.0',
  'CONNECT x:1 HTTP/1.1',
];

/** Makes what a client says and does. */
class ClientScript {
  readonly #random: Random;
  readonly #mode: Mode;
  readonly #steps: Step[] = [];

  constructor(random: Random, mode: Mode) {
    this.#random = random;
    this.#mode = mode;
  }

  steps(): Step[] {
    const random = this.#random;
    const isLockstep = random.chance(0.6);
    if (random.chance(0.04)) this.#say(`${random.pick(others)}\r\n`);
    if (this.#mode !== 'refuse' && random.chance(0.8)) this.#auth();
    if (random.chance(0.9)) this.#login(isLockstep);
    const count = random.between(1, 14);
    for (let n = 0; n < count; n++) {
      this.#one();
      if (isLockstep ? random.chance(0.95) : random.chance(0.3)) this.#quiet();
      if (random.chance(0.015)) {
        this.#steps.push({ do: 'end', how: random.chance(0.5) ? 'fin' : 'reset' });
        if (random.chance(0.7)) break;
      }
      if (random.chance(0.01)) this.#steps.push({ do: random.chance(0.5) ? 'deaf' : 'hear' });
    }
    this.#quiet();
    return this.#steps;
  }

  #login(isLockstep: boolean): void {
    const random = this.#random;
    this.#say('USER anne\r\n');
    if (isLockstep) this.#quiet();
    if (random.chance(0.95)) this.#say('PASS s3cr3t\r\n');
    if (isLockstep) this.#quiet();
  }

  /** AUTH, mostly as it should be, and what may follow it. */
  #auth(): void {
    const random = this.#random;
    if (random.chance(0.7)) this.#quiet();
    this.#say(
      `AUTH ${random.pick(['TLS', 'TLS', 'TLS', 'SSL', 'TLS-P', 'GSSAPI', ''])}\r\n${random.chance(0.1) ? 'NOOP\r\n' : ''}`,
    );
    if (random.chance(0.95)) this.#quiet();
    if (this.#mode === 'pass') {
      if (random.chance(0.5)) this.#say(random.bytes(random.between(1, 200)));
      return;
    }
    const how = random.weighted([
      [8, 'proper'],
      [4, 'cut'],
      [1, 'garbage'],
      [1, 'half'],
    ] as const);
    this.#steps.push({ do: 'hello', how });
    if (random.chance(0.6)) {
      this.#say('PBSZ 0\r\n');
      this.#quiet();
      this.#say(`PROT ${random.pick(['P', 'P', 'C', 'S'])}\r\n`);
      this.#quiet();
    }
  }

  #one(): void {
    const random = this.#random;
    const kind = random.weighted([
      [40, 'set-up'],
      [20, 'plain'],
      [8, 'session'],
      [8, 'odd'],
      [4, 'transfer'],
    ] as const);
    switch (kind) {
      case 'set-up':
        this.#say(`${random.weighted(setUps.map(([text, weight]) => [weight, text] as const))}\r\n`);
        if (random.chance(0.8)) this.#quiet();
        this.#data();
        if (random.chance(0.75)) this.#transfer();
        break;
      case 'plain': {
        const verb = random.pick(plain).replaceAll('_', ' ');
        this.#say(
          `${verb}${/ /.test(verb) || random.chance(0.3) ? '' : ` ${random.pick(names)}`}${random.chance(0.9) ? '\r\n' : '\n'}`,
        );
        break;
      }
      case 'transfer':
        this.#transfer();
        break;
      case 'session':
        this.#session();
        break;
      case 'odd':
        this.#odd();
        break;
    }
  }

  #transfer(): void {
    const random = this.#random;
    this.#say(`${random.pick(transfers)} ${random.pick(names)}\r\n`);
    if (random.chance(0.5)) this.#quiet();
    if (random.chance(0.2)) this.#data();
    if (random.chance(0.12))
      this.#say(
        `${random.pick(['\xff\xf4\xff\xf2', '\xff\xf4\xf2', '\xf4\xff\xf2', '\xff\xf4\xff', ''])}ABOR\r\n`,
      );
  }

  #data(): void {
    const random = this.#random;
    if (random.chance(0.15)) this.#dial('stranger');
    if (random.chance(0.75)) this.#dial('client');
    if (random.chance(0.08)) this.#dial('client');
  }

  #dial(who: 'client' | 'stranger'): void {
    const random = this.#random;
    const bytes = random.chance(0.5)
      ? 0
      : random.chance(0.1)
        ? random.between(60_000, 300_000)
        : random.between(1, 400);
    const end = random.weighted<EndKind | 'stay'>([
      [5, 'fin'],
      [1, 'reset'],
      [2, 'stay'],
    ]);
    this.#steps.push({ do: 'dial', who, bytes, end });
    if (random.chance(0.6)) this.#quiet();
  }

  #session(): void {
    const random = this.#random;
    this.#say(
      random.pick([
        'USER bob\r\n',
        'USER bob\r\n',
        'PASS s3cr3t\r\n',
        'ACCT s3cr3t\r\n',
        'REIN\r\n',
        'AUTH TLS\r\n',
        'AUTH KERBEROS_V4\r\n',
        'PBSZ 0\r\n',
        'PROT P\r\n',
        'PROT C\r\n',
        'CCC\r\n',
        'HOST {relay.}\r\n',
        'HOST [{relay.}]\r\n',
        'HOST ftp.example\r\n',
        'QUIT\r\n',
        'USER bob\r\nPASS s3cr3t\r\nPASV\r\n',
        'USER bob\r\nPASS s3cr3t\r\nPORT {me},{p}\r\nRETR file\r\n',
      ]),
    );
  }

  #odd(): void {
    const random = this.#random;
    const text = random.pick([
      () => `${random.bytes(random.between(1, 80))}${random.chance(0.8) ? '\r\n' : ''}`,
      () => `RETR ${'x'.repeat(random.pick([8186, 8187, 8188, 8192, 9000, 20_000]))}\r\n`,
      () => 'RETR a\0b\r\n',
      () => 'RETR a\rDELE b\r\n',
      () => 'RETR a\r\r\n',
      () => '\r\n',
      () => ' \r\n',
      () => `\xff\xf4\xff\xf2PORT {other},{p}\r\n`,
      () => `PO\xff\xf1RT {other},{p}\r\n`,
      () => `PO\xffRT {other},{p}\r\n`,
      () => `\xff\xfb\x01PASV\r\n`,
      () => ` PASV\r\n`,
      () => `${random.word(random.between(1, 9))} ${random.bytes(5)}\r\n`,
      () => 'PASS s3cr3t\0\r\n',
      () => 'NOOP\r\nNOOP\r\nNOOP\r\nPASV\r\nNOOP\r\nPASV\r\n',
      () => `PASV\r\nPORT {me},{p}\r\nEPSV\r\nRETR x\r\n`,
      () => `TYPE I\r\nSIZE x\r\nEPSV\r\nRETR x\r\nQUIT\r\n`,
      () => `GET / HTTP/1.1\r\n`,
    ])();
    this.#say(text);
  }

  #quiet(): void {
    this.#steps.push({ do: 'quiet' });
  }

  #say(text: string): void {
    this.#steps.push({ do: 'say', text, ...cutsOf(text, this.#random) });
  }
}
