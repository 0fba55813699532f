/**
 * Shares the time of the event loop among control channels and TLS handshakes, and leaves at least twice as much of it to
 * everything else: to data channels, timers and new connections. Who sends lines as fast as they are taken waits behind
 * those who do not, and so does a handshake.
 *
 * A turn is one round of the event loop. In each, control channels and handshakes together have half as long as all else
 * took in the round before, and a little in any case; who comes when that is used up is told to wait, and is called in a
 * later turn. One piece may take longer than there was: who has used much waits until that has been paid back. Times are
 * in milliseconds.
 */
export class Turns {
  readonly #now: () => number;
  readonly #later: (work: () => void) => void;
  /** Who waits: those that have used little of late come first. */
  readonly #modest: Member[] = [];
  readonly #greedy: Member[] = [];
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

  constructor(
    now: () => number = () => performance.now(),
    later: (work: () => void) => void = (work) => void setImmediate(work),
  ) {
    this.#now = now;
    this.#later = later;
  }

  /**
   * @param run does what there is to do until `isOver`, at least one piece of it, and returns whether there is more;
   *   `isNested`: it was asked for by another one, which runs, and goes on when this returns
   * @param rank `last`: whatever it has used, those that have used little go first
   */
  join(run: Member['run'], rank?: 'last'): Turn {
    const credit = rank === 'last' ? -Infinity : mostCredit;
    const member: Member = { run, credit, at: this.#now(), isWaiting: false };
    return {
      request: () => {
        this.#request(member);
      },
      get isWaiting() {
        return member.isWaiting;
      },
    };
  }

  /** Runs it now where there is time, else later. */
  #request(member: Member): void {
    if (member.isWaiting) return;
    this.#begin();
    if (this.#deadline === undefined) {
      const isLate = creditOf(member, this.#now()) > 0 ? this.#used >= this.#allowed : this.#mayUse() <= 0;
      if (this.#modest.length + this.#greedy.length > 0 || isLate) this.#wait(member);
      else if (this.#give(member)) this.#wait(member);
      return;
    }
    // Another one runs, and this is what came of it: the same time is used.
    if (this.#isOver() || member.run(() => this.#isOver(), true)) this.#wait(member);
  }

  /** Lets it run for a while, in the time that is left of this turn. Returns whether it has more to do. */
  #give(member: Member): boolean {
    const began = this.#now();
    this.#deadline = began + Math.min(quantum, this.#allowed - this.#used);
    try {
      return member.run(() => this.#isOver(), false);
    } finally {
      this.#deadline = undefined;
      const now = this.#now();
      this.#used += now - began;
      member.credit = creditOf(member, now) - (now - began);
      member.at = now;
    }
  }

  /** What those that have used much have of this turn. */
  #mayUse(): number {
    return this.#allowed - this.#owed - this.#used;
  }

  #isOver(): boolean {
    return this.#deadline !== undefined && this.#now() >= this.#deadline;
  }

  #wait(member: Member): void {
    member.isWaiting = true;
    (creditOf(member, this.#now()) > 0 ? this.#modest : this.#greedy).push(member);
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
    this.#owed = Math.min(mostOwed, Math.max(0, this.#owed + this.#used - this.#allowed));
    this.#began = undefined;
    this.#allowed = Math.min(most, Math.max(least, others * shareOfOthers));
    this.#used = 0;
    if (this.#modest.length + this.#greedy.length === 0) return;
    this.#begin();
    while (this.#used < this.#allowed) {
      const member = this.#modest.shift() ?? (this.#mayUse() > 0 ? this.#greedy.shift() : undefined);
      if (!member) return;
      member.isWaiting = false;
      if (this.#give(member)) this.#wait(member);
    }
  }
}

/** One control channel's part in the turns. */
export interface Turn {
  /** There is something to do: it is done in this call, or in a later turn as far as there is no time. */
  request(): void;
  /** Whether it will be called. */
  readonly isWaiting: boolean;
}

interface Member {
  readonly run: (isOver: () => boolean, isNested: boolean) => boolean;
  /** How much of the time that is everybody's it may still use before others go first; negative: it has used more. */
  credit: number;
  /** When `credit` was right. */
  at: number;
  isWaiting: boolean;
}

/** What control channels have of a turn in any case, and at most: others wait as long. */
const least = 0.1;
const most = 2;
const shareOfOthers = 0.5;
/** A process that was stopped for a while owes nobody that while. */
const mostOwed = 10;
/** What one has of it before the next one has its turn. */
const quantum = 0.2;
/** What one has saved up at most, and how much of the time it is given: some hundred lines, and a hundred a second. */
const mostCredit = 2;
const share = 0.002;

function creditOf({ credit, at }: Member, now: number): number {
  return Math.min(mostCredit, credit + (now - at) * share);
}
