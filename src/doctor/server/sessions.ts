import { textOf } from '../../ftp/whole-replies.ts';
import { replies } from '../../helper/replies.ts';
import { codeOf } from '../../net/error.ts';
import type { Finding } from '../finding.ts';
import { readGreeting } from './check-control.ts';
import { demandsTls, judgeLogin, login, loginOverTls, TlsRefusedError } from './check-login.ts';
import { judgeCertificate, nameOf } from './check-tls.ts';
import { ControlConnection, LostError, openControl, type Secured } from './control-connection.ts';
import { endTlsTowardsServer } from './remedies.ts';
import type { ServerTarget } from './target.ts';
import { lostFinding, openSession, RefusedError, type Visit } from './visit.ts';

/** The control connections of one examination: one for the subjects in turn, opened anew where one of them ends it. */
export class Sessions {
  readonly visit: Visit;
  #control: ControlConnection | undefined;
  #overTls = false;
  #isClosed = false;
  #largest = 0;
  #sawCertificate = false;

  constructor(
    target: ServerTarget,
    timeout: number,
    say: (finding: Finding) => void,
    first: ControlConnection,
  ) {
    this.#control = first;
    this.visit = {
      reached: first.remote.address,
      port: target.port,
      pinhole: 'unknown',
      user: target.user,
      timeout,
      say,
      received: (bytes) => {
        this.#largest = Math.max(this.#largest, bytes);
      },
      greeted: () => this.#greeted(),
      login: (control) =>
        this.#overTls && !control.isSecured
          ? loginOverTls(control, target, nameOf(target.host), (how) => {
              this.#seeCertificate(how);
            })
          : login(control, target),
    };
  }

  /** Whether the server lets nobody in but over TLS. */
  get overTls(): boolean {
    return this.#overTls;
  }

  /** The most bytes that the server sent without a pause. */
  get largest(): number {
    return this.#largest;
  }

  /** Logs in on the first connection, over TLS where the server wants that. Says how that went. */
  async begin(): Promise<boolean> {
    const { say, timeout, user } = this.visit;
    const refusal = await this.#tryLogin();
    if (refusal === undefined) {
      say(judgeLogin(undefined, user));
      return true;
    }
    if (!(refusal instanceof RefusedError)) {
      say(lostFinding(refusal, timeout));
      return false;
    }
    if (!demandsTls(refusal.reply)) {
      say(judgeLogin(refusal.reply, user));
      return false;
    }
    const values = { user, reply: textOf(refusal.reply) };
    say({ id: 'login-needs-tls', level: 'note', values, remedies: [] });
    return this.#beginOverTls();
  }

  /** Examines one subject on the shared connection. Undefined if it was not completed; that has been reported then. */
  async on<T>(check: (control: ControlConnection) => Promise<T>): Promise<T | undefined> {
    return this.alone(async () => {
      if (this.#control?.isOpen !== true) this.#control = await openSession(this.visit);
      return check(this.#control);
    });
  }

  /** Does one subject that has connections of its own. */
  async alone<T>(check: () => Promise<T>): Promise<T | undefined> {
    if (this.#isClosed) return undefined;
    try {
      return await check();
    } catch (error) {
      this.visit.say(lostFinding(error, this.visit.timeout));
      // What comes late would be taken for the answer to another command.
      if (error instanceof LostError) this.#control?.close();
      return undefined;
    }
  }

  /** Nothing is begun any more. */
  close(): void {
    this.#isClosed = true;
    this.#control?.close();
  }

  async #beginOverTls(): Promise<boolean> {
    const { say, timeout, user } = this.visit;
    this.#control?.close();
    this.#overTls = true;
    try {
      this.#control = await openSession(this.visit);
      say(judgeLogin(undefined, user));
      return true;
    } catch (error) {
      if (error instanceof TlsRefusedError) {
        const reply = textOf(error.reply);
        const remedies = endTlsTowardsServer;
        if (reply === replies.tlsRefused)
          say({ id: 'pinhole-refuses-tls', level: 'fault', values: { reply }, remedies });
        else say({ id: 'tls-demanded-refused', level: 'fault', values: { reply }, remedies: [] });
      } else if (error instanceof RefusedError) say(judgeLogin(error.reply, user));
      else say(lostFinding(error, timeout));
      return false;
    }
  }

  /** Each session over TLS shows the same one. */
  #seeCertificate(how: Secured): void {
    this.visit.received(how.bytes);
    if (this.#sawCertificate) return;
    this.#sawCertificate = true;
    for (const finding of judgeCertificate(how)) this.visit.say(finding);
  }

  /** What the first login failed with. */
  async #tryLogin(): Promise<unknown> {
    try {
      if (this.#control) await this.visit.login(this.#control);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #greeted(): Promise<ControlConnection> {
    const { reached, port, timeout } = this.visit;
    const control = await openControl({ host: reached, port }, timeout).catch((error: unknown) => {
      throw new LostError('', codeOf(error) === 'ECONNREFUSED' ? 'reset' : 'silent');
    });
    const greeting = await readGreeting(control, timeout);
    if (typeof greeting !== 'string' && greeting.code === 220) return control;
    control.close();
    throw typeof greeting === 'string' ? new LostError('', greeting) : new RefusedError(greeting);
  }
}
