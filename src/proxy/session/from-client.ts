import type { CommandReason } from '../../events.ts';
import { endOfSynch, parseCommand, type Command } from '../../ftp/command.ts';
import type { Line } from '../../ftp/lines.ts';
import { isTransfer } from '../../ftp/transfer.ts';
import type { CommandDecision } from '../../helper/decision.ts';
import { inspectCommand, inspectOverlong } from '../../helper/inspect-command.ts';
import { isBinary } from '../../helper/other-protocols.ts';
import { showCommand } from '../../helper/redact.ts';
import { replies } from '../../helper/replies.ts';
import { isTlsHello } from '../../helper/tls-hello.ts';
import { messageOf } from '../../net/error.ts';
import type { Pinhole } from '../../plane/plane.ts';
import type { ControlChannelListener } from './control-channel.ts';
import type { DirectionParts } from './directions.ts';
import { EmptyLines } from './empty-lines.ts';
import { noPinholeReplies, whyNoPinhole } from './no-pinhole.ts';
import { addressForServer } from './pinhole-place.ts';

/** How long a server that heard of an ABOR as of any command may take to act on it, in milliseconds. */
const abortPatience = 500;

const tlsOnClearPort =
  'received a TLS handshake on a port for plain FTP: set the client to explicit FTPS (AUTH TLS), ' +
  'or listen-tls to a port for implicit FTPS';

/** The client's side: has each command inspected, and carries out the decision. */
export class FromClient implements ControlChannelListener {
  readonly tellsUrgent = true;
  readonly #parts: DirectionParts;
  readonly #emptyLines: EmptyLines;
  #hasWaitedForTurn = false;

  constructor(parts: DirectionParts) {
    this.#parts = parts;
    this.#emptyLines = new EmptyLines(parts.state.exchanges, parts.channels, parts.lifetime);
  }

  begins(byte: number): void {
    if (!isBinary(byte)) return;
    const { state, lifetime } = this.#parts;
    const isHello = isTlsHello(byte) && !state.security.client;
    if (isHello) lifetime.finish('tls-on-clear-port', undefined, tlsOnClearPort);
    else lifetime.finish('not-ftp', replies.notFtp);
  }

  line(line: Line, isUrgent: boolean): void {
    const { state, settings, channels, events, clock, tls, lifetime } = this.#parts;
    clock.touch();
    if (line.piece === 'more') return;
    const command = parseCommand(line.text);
    const isOverlong = line.piece === 'first';
    const decision = isOverlong
      ? inspectOverlong(command, state)
      : inspectCommand(command, state, settings.policy);
    if (decision.kind === 'wait') {
      channels.client.putBack();
      channels.client.hold('reply');
      this.#emptyLines.limit();
      return;
    }
    // After an empty line another protocol may still begin.
    state.begun ||= command.verb !== '';
    switch (decision.kind) {
      case 'pass':
        if (!isUrgent && isSynched(command) && this.#waitsForTurn()) return;
        this.#forward(command, decision.rewritten ?? line.text, isUrgent || this.#isSignalled(command));
        break;
      case 'expect':
        void channels.whileHeld(channels.client, () => this.#expect(command, decision));
        break;
      case 'refuse':
        this.#refuse(isOverlong ? '****' : showCommand(command), decision.reason, decision.reply);
        break;
      case 'answer':
      case 'secure':
      case 'clear':
        if (tls.obey(command, decision)) this.#forward(command, line.text);
        break;
      case 'close':
        events.refused(showCommand(command), decision.reason, decision.reply);
        lifetime.finish(decision.reason, decision.reply);
        break;
    }
  }

  turnEnded(): void {
    this.#parts.channels.flush();
  }

  /** No further commands can arrive: a client that has gone is not made to wait. */
  ending(): void {
    this.#parts.penalties.end();
  }

  ended(): void {
    this.#parts.lifetime.clientEnded();
  }

  failed(error: Error): void {
    this.#parts.lifetime.clientFailed(error);
  }

  drained(): void {
    this.#parts.channels.clientDrained();
  }

  closed(): void {
    this.#parts.lifetime.connectionClosed();
  }

  #forward(command: Command, text: string, isUrgent = false): void {
    const { state, channels, pinholes, events, order } = this.#parts;
    const { verb, argument } = command;
    state.exchanges.add({ kind: 'sent', verb, argument });
    if (isUrgent) this.#sendUrgent(command, text);
    else channels.server.send(`${text}\r\n`);
    if (isTransfer(command)) pinholes.serve(command);
    events.forwarded(command, text);
    // The client no longer wants what it waits for, or will not see it.
    if (verb === 'ABOR' || verb === 'QUIT') order.end();
  }

  /**
   * If the urgent byte of a Synch is the first to be read, the system reports it only by a signal, which arrives in
   * this turn after the bytes. Returns whether the line is delivered again in the next turn.
   */
  #waitsForTurn(): boolean {
    this.#hasWaitedForTurn = !this.#hasWaitedForTurn;
    if (!this.#hasWaitedForTurn) return false;
    const { client } = this.#parts.channels;
    client.putBack();
    client.hold('turn');
    setImmediate(() => {
      client.release('turn');
    });
    return true;
  }

  /** Whether it comes after a Synch that was urgent, as far as that is known: an ordinary Synch is sent on as such. */
  #isSignalled(command: Command): boolean {
    const { urgent } = this.#parts.channels.client;
    return isSynched(command) && (urgent.wereSignalled || !urgent.areSeen);
  }

  /**
   * A server that is busy with a transfer may read commands only on urgent data (vsftpd, `async_abor_enable`). If
   * none can be sent, the transfer is cut off here, unless the server ends it itself.
   */
  #sendUrgent({ verb }: Command, text: string): void {
    const { state, channels, pinholes } = this.#parts;
    const end = endOfSynch(`${text}\r\n`);
    const isSent = channels.server.sendUrgent(`${text}\r\n`.slice(0, end));
    channels.server.send(`${text}\r\n`.slice(end));
    const pinhole = pinholes.current;
    if (isSent || verb !== 'ABOR' || !pinhole) return;
    setTimeout(() => {
      if (state.exchanges.find((exchange) => exchange.verb === 'ABOR')) pinhole.abort('aborted');
    }, abortPatience).unref();
  }

  /** Answers a command in its turn; the server never sees it. */
  #refuse(command: string, reason: CommandReason, reply: string, detail?: string): void {
    const { state, channels, events, penalties } = this.#parts;
    events.refused(command, reason, reply, detail);
    state.exchanges.add({ kind: 'answered', answer: `${reply}\r\n` });
    channels.client.send(state.exchanges.takeAnswers());
    this.#emptyLines.limit();
    penalties.add(channels.client);
  }

  /** The pinhole first and the rewritten PORT second: on failure nothing has reached the server. */
  async #expect(
    command: Command,
    { announcement, rewrite }: CommandDecision & { kind: 'expect' },
  ): Promise<void> {
    const { endpoints, settings, state, channels, pinholes, events, tls, lifetime } = this.#parts;
    let pinhole: Pinhole;
    try {
      pinhole = await pinholes.open(announcement, tls.ofData);
    } catch (error) {
      if (lifetime.isOver) return;
      const reason = whyNoPinhole(error);
      this.#refuse(showCommand(command), reason, noPinholeReplies[reason], messageOf(error));
      return;
    }
    if (lifetime.isOver) {
      pinhole.close('session-closed');
      return;
    }
    pinholes.reserve(pinhole);
    const text = rewrite({ address: addressForServer(endpoints, settings), port: pinhole.at.port });
    const { verb, argument } = parseCommand(text);
    state.exchanges.add({ kind: 'sent', verb, argument });
    channels.server.send(`${text}\r\n`);
    events.forwarded(command, text);
  }
}

/** Whether it is an ABOR after Telnet sequences, which should be urgent (RFC 959 section 4.1.3), and often are not. */
function isSynched({ verb, telnet }: Command): boolean {
  return verb === 'ABOR' && telnet !== '';
}
