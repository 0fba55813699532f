import { clientOf, type Event } from '../events.ts';
import { isListing, isUpload } from '../ftp/transfer.ts';
import { replaceHarmful } from '../net/harmful-text.ts';
import { AppendedFile, type Failing } from './appended-file.ts';
import { LineSink } from './line-sink.ts';

/** What the transfer log asks and tells. */
interface TransferLogHost {
  /** Whom USER had named in the session of an event. */
  userOf(event: Event): string | undefined;
  /** Its file cannot be written, or the one that has its name now not be had; once for each reason, a code of the system. */
  failed(code: string, of: Failing): void;
  /** So many lines were lost, because of this error. */
  lost(lines: number, code: string): void;
}

type Transfer = Event & { readonly type: 'transfer-ended' };

/** The listener of the event stream that writes a line in xferlog's form for each file that is transferred. */
export class TransferLog {
  readonly #host: TransferLogHost;
  readonly #file: AppendedFile;
  readonly #sink: LineSink;

  /** @throws where the file cannot be opened */
  constructor(path: string, host: TransferLogHost) {
    const file = new AppendedFile(path, (code, of) => {
      host.failed(code, of);
    });
    this.#host = host;
    this.#file = file;
    this.#sink = new LineSink({
      write: (bytes) => file.write(bytes),
      lossLine: (lines, code) => {
        host.lost(lines, code);
        // Its readers know no such line.
        return '';
      },
    });
  }

  readonly observe = (event: Event): void => {
    if (event.type !== 'transfer-ended' || !event.command || isListing(event.command)) return;
    this.#sink.write(`${xferlogLine(event, this.#host.userOf(event), new Date())}\n`);
  };

  /** For logrotate: the file that has the name now gets the lines to come. */
  reopen(): void {
    this.#sink.flush();
    this.#file.reopen();
  }

  /** For the end of the process: what is to come is written at once. */
  flush(): void {
    this.#sink.end();
  }

  close(): void {
    this.#sink.end();
    this.#file.close();
  }
}

/**
 * A line of xferlog(5), as vsftpd and ProFTPD write it:
 *
 *     Sat Nov 28 02:31:07 2026 12 198.51.100.7 1234 /pub/a.iso b _ o r anna ftp 0 * c
 *
 * @param time when the transfer ended
 */
export function xferlogLine(event: Transfer, user: string | undefined, time: Date): string {
  const { command, seconds, uploaded, downloaded, cause } = event;
  const isAnonymous = user !== undefined && /^(?:anonymous|ftp)$/i.test(user);
  return [
    dateOf(time),
    Math.max(1, Math.round(seconds)),
    clientOf(event),
    uploaded + downloaded,
    field(command?.path),
    command?.isText === true ? 'a' : 'b',
    '_',
    command && isUpload(command) ? 'i' : 'o',
    isAnonymous ? 'a' : 'r',
    // Servers write the password of anonymous users; the relay shows no password to anybody.
    isAnonymous ? '?' : field(user),
    'ftp 0 *',
    cause === 'complete' ? 'c' : 'i',
  ].join(' ');
}

/** Blanks would make two fields of one. */
function field(text: string | undefined): string {
  if (text === undefined || text === '') return '?';
  return replaceHarmful(text, '_').replace(/\s/gu, '_');
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time, as asctime(3) writes it: `Sat Nov  7 02:31:07 2026` */
function dateOf(time: Date): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((value) =>
    String(value).padStart(2, '0'),
  );
  const day = String(time.getDate()).padStart(2);
  const [weekday, month] = [days[time.getDay()] ?? '', months[time.getMonth()] ?? ''];
  return `${weekday} ${month} ${day} ${clock.join(':')} ${time.getFullYear()}`;
}
