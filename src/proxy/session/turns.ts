/**
 * Shares the time of the event loop among control channels and TLS handshakes, and leaves at least twice as much of it to
 * everything else: to data channels, timers and new connections. It is shared out among clients first, and among the
 * sessions of each then: who sends lines as fast as they are taken waits behind those who do not.
 *
 * A turn is one round of the event loop. In each, control channels and handshakes together have half as long as all else
 * took in the round before, and a little in any case; who comes when that is used up is told to wait, and is called in a
 * later turn. One piece may take longer than there was: clients that have used much wait until that has been paid back.
 * Times are in milliseconds.
 */
export class Turns {
  readonly #now: () => number;
  readonly #later: (work: () => void) => void;
  readonly #isShared: () => boolean;
  /** Clients with somebody that waits: those that have used little of late come first. */
  readonly #modest: Client[] = [];
  readonly #greedy: Client[] = [];
  /** What control channels may use of this turn, and have. */
  #allowed: number = least;
  #used = 0;
  /** What earlier turns have used too much. */
  #owed = 0;
  /** When this turn began; undefined where no control channel has run in it yet. */
  #began: number | undefined;
  /** When the last one ended. */
  #ended = 0;
  /** When who runs now has to stop; undefined where nobody does. */
  #deadline: number | undefined;
  /** One for all members: each would have one of its own otherwise. */
  readonly #ask = (member: Member): void => {
    this.#request(member);
  };
  /** Whether a turn that delivers lines is running. */
  #isTelling = false;

  constructor(
    now: () => number = () => performance.now(),
    later: (work: () => void) => void = (work) => void setImmediate(work),
    isShared: () => boolean = () => true,
  ) {
    this.#now = now;
    this.#later = later;
    this.#isShared = isShared;
  }

  /** What one client's sessions have together. */
  share(): Share {
    const client: Client = { ...this.#newSavings(), quiet: [], loud: [], isQueued: false };
    return {
      join: (run, kind = 'lines') => {
        const savings = this.#newSavings();
        return new Member(savings, run, kind, client, this.#ask);
      },
    };
  }

  #newSavings(): Savings {
    return { credit: mostCredit, at: this.#now() };
  }

  /** Runs it now where there is time, else later. */
  #request(member: Member): void {
    if (member.isWaiting) return;
    this.#begin();
    if (this.#deadline === undefined) {
      const isLate = this.#hasWaiting() || this.#left(this.#isModest(member.client)) <= 0;
      if (isLate || this.#give(member)) this.#wait(member);
      return;
    }
    // This runs as a consequence of another turn: it uses the same time.
    if (this.#isOver() || this.#run(member)) this.#wait(member);
  }

  /** Lets it run for a while, in the time that is left of this turn. Returns whether it has more to do. */
  #give(member: Member): boolean {
    const began = this.#now();
    this.#deadline =
      began + (this.#isShared() ? Math.min(quantum, this.#allowed - this.#used) : quantumAlone);
    try {
      return this.#run(member);
    } finally {
      this.#deadline = undefined;
      const now = this.#now();
      this.#used += now - began;
      spend(member, now - began, now);
      spend(member.client, now - began, now);
    }
  }

  #run(member: Member): boolean {
    const isNested = this.#isTelling;
    this.#isTelling ||= member.kind === 'lines';
    try {
      return member.run(() => this.#isOver(), isNested);
    } finally {
      this.#isTelling = isNested;
    }
  }

  /** What is left of this turn for a client: those that have used much pay what is owed. */
  #left(isModest: boolean): number {
    if (!this.#isShared()) return quantumAlone;
    return this.#allowed - this.#used - (isModest ? 0 : this.#owed);
  }

  #isModest(savings: Savings): boolean {
    return creditOf(savings, this.#now()) > 0;
  }

  #isOver(): boolean {
    return this.#deadline !== undefined && this.#now() >= this.#deadline;
  }

  #hasWaiting(): boolean {
    return this.#modest.length + this.#greedy.length > 0;
  }

  #wait(member: Member, isFirst = false): void {
    member.isWaiting = true;
    const { client } = member;
    (this.#isModest(member) ? client.quiet : client.loud).push(member);
    this.#queue(client, isFirst);
  }

  #queue(client: Client, isFirst = false): void {
    if (client.isQueued || client.quiet.length + client.loud.length === 0) return;
    client.isQueued = true;
    const queue = this.#isModest(client) ? this.#modest : this.#greedy;
    if (isFirst) queue.unshift(client);
    else queue.push(client);
  }

  /** Who comes next, out of the queues. */
  #next(): Member | undefined {
    const client = this.#modest.shift() ?? (this.#left(false) > 0 ? this.#greedy.shift() : undefined);
    if (!client) return undefined;
    client.isQueued = false;
    const member = client.quiet.shift() ?? client.loud.shift();
    if (member) member.isWaiting = false;
    return member;
  }

  #begin(): void {
    if (this.#began !== undefined) return;
    this.#began = this.#now();
    this.#owed = Math.max(0, this.#owed - (this.#began - this.#ended) * shareOfOthers);
    this.#later(() => {
      this.#end();
    });
  }

  /** All else of this turn has been done. */
  #end(): void {
    this.#ended = this.#now();
    const others = this.#ended - (this.#began ?? 0) - this.#used;
    const over = this.#used - this.#allowed;
    // A line now and then ends a little late.
    if (!this.#isShared()) this.#owed = 0;
    else if (over < 0 || over > quantum) this.#owed = Math.min(mostOwed, Math.max(0, this.#owed + over));
    this.#began = undefined;
    this.#allowed = Math.min(most, Math.max(least, others * shareOfOthers));
    this.#used = 0;
    if (!this.#hasWaiting()) return;
    this.#begin();
    while (this.#used < this.#allowed) {
      const member = this.#next();
      if (!member) return;
      // Who had but the rest of a turn comes first in the next one.
      const isCut = this.#allowed - this.#used < quantum;
      if (this.#give(member)) this.#wait(member, isCut);
      else this.#queue(member.client);
    }
  }
}

/** One client's part of the turns. */
export interface Share {
  /**
   * @param run does what there is to do until `isOver`, at least one piece of it, and returns whether there is more;
   *   `isNested`: it was asked for by another one that tells lines, and goes on when this returns
   * @param kind `bytes`: what it does may bring lines, and it tells none itself
   */
  join(run: (isOver: () => boolean, isNested: boolean) => boolean, kind?: 'lines' | 'bytes'): Turn;
}

/** The part of one control channel, or of one connection's TLS. */
export interface Turn {
  /** There is something to do: it is done in this call, or in a later turn as far as there is no time. */
  request(): void;
  /** Whether it will be called. */
  readonly isWaiting: boolean;
}

interface Savings {
  /** How much of the time that is everybody's it may still use before others go first; negative: it has used more. */
  credit: number;
  /** When `credit` was right. */
  at: number;
}

interface Client extends Savings {
  /** Who waits of its sessions: those that have used little of late come first. */
  readonly quiet: Member[];
  readonly loud: Member[];
  isQueued: boolean;
}

class Member implements Savings, Turn {
  credit: number;
  at: number;
  readonly run: Parameters<Share['join']>[0];
  readonly kind: 'lines' | 'bytes';
  readonly client: Client;
  isWaiting = false;
  readonly #request: (member: Member) => void;

  constructor(
    { credit, at }: Savings,
    run: Parameters<Share['join']>[0],
    kind: 'lines' | 'bytes',
    client: Client,
    request: (member: Member) => void,
  ) {
    this.credit = credit;
    this.at = at;
    this.run = run;
    this.kind = kind;
    this.client = client;
    this.#request = request;
  }

  request(): void {
    this.#request(this);
  }
}

/** What control channels have of a turn in any case, and at most: others wait as long. */
const least = 0.1;
const most = 2;
const shareOfOthers = 0.5;
/** A process that was stopped for a while owes nobody that while. */
const mostOwed = 10;
/** What one has of it before the next one has its turn. */
const quantum = 0.2;
/** The same where there is one client alone, from whom nobody has to be protected. */
const quantumAlone = 2;
/** What one has saved up at most, and how much of the time it is given: some hundred lines, and a hundred a second. */
const mostCredit = 2;
const saved = 0.002;

function creditOf({ credit, at }: Savings, now: number): number {
  return Math.min(mostCredit, credit + (now - at) * saved);
}

function spend(savings: Savings, time: number, now: number): void {
  savings.credit = creditOf(savings, now) - time;
  savings.at = now;
}
