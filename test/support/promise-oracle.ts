/**
 * The promises P1 to P6 of a log, or of a store that is a log underneath, as a judge of crashed disks: what the
 * program had said by the crash (marks) and what was found afterwards in, violations out. It knows commits only by
 * their labels; what a commit holds, and how it is found on a disk, its caller knows. Not a model of file systems.
 *
 * A program says, each as a mark and each at once:
 *
 *   issue LABEL        before a commit (an append, a batch, a transaction) is asked for
 *   kept LABEL         it resolved, under any policy
 *   durable LABEL      it is promised durable, and all before it: it resolved under `sync`, or a sync resolved
 *   refused LABEL      it was refused and is promised never to show
 *   faults             commits may be refused from here on: one that has not settled may be missing by itself
 *   removing N         before the first N commits may be removed (truncation)
 *   removed N          the first N commits are promised never to show again
 *   opened N LABEL…    recovery has served these commits, the first of them number N: they are durable, and nothing
 *                      else that was issued shows again
 */

/** What a disk owes, worked out from the marks. */
export interface Demands {
  /** The commits that may show, in commit order: issued, neither refused nor dropped by a recovery. */
  readonly chain: readonly string[];
  /** So many of them must be there. */
  readonly durable: number;
  /** Those of the others that may be missing although later ones show: under way when the power failed. */
  readonly loose: ReadonlySet<string>;
  /** So many from the start must be gone, and so many may be. */
  readonly removed: number;
  readonly removing: number;
}

/** What was found: `labels` are all commits that show, the first of them number `first` of the chain, from 0. */
export interface Found {
  readonly first: number;
  readonly labels: readonly string[];
}

/** @throws Error for a mark that this module does not have: a mistake in the test */
export function demandsOf(marks: readonly string[]): Demands {
  const reading = new MarkReading();
  for (const mark of marks) reading.read(mark);
  return reading.demands();
}

/**
 * What is wrong with a log: nothing where the list is empty. The first commit that shows is where removal may have
 * come to, and from there on they are those of the chain, in order and without a gap, at least to the last durable.
 */
export function judgeLog(demands: Demands, { first, labels }: Found): string[] {
  const { chain, durable, loose, removed, removing } = demands;
  const wrong: string[] = [];
  if (first < removed) wrong.push(`P5: commit ${first} is back, removed were ${removed}`);
  if (first > removing) {
    wrong.push(`P2: the first is commit ${first}, and only ${removing} may be gone`);
  }
  let next = first;
  for (const label of labels) {
    const wanted = next;
    while (next >= durable && chain[next] !== label && loose.has(chain[next] ?? '')) next++;
    if (chain[next] !== label) {
      const issued = chain[wanted] ?? 'nothing';
      wrong.push(`P2: commit ${wanted} is '${label}' where '${issued}' was issued`);
    }
    next++;
  }
  if (next < durable) wrong.push(lost(demands, next));
  return wrong;
}

/**
 * What is wrong with a store, whose commits show only in what they add up to: `shows` says whether the disk shows
 * what these commits make, in this order. Some number of them, from the durable ones on, must be it. REQUIRES: no
 * faults, so that none is loose.
 */
export function judgeState(
  demands: Demands,
  shows: (commits: readonly string[]) => boolean,
): string[] {
  const { chain, durable } = demands;
  for (let end = chain.length; end >= durable; end--) if (shows(chain.slice(0, end))) return [];
  for (let end = durable - 1; end >= 0; end--) {
    if (shows(chain.slice(0, end))) return [lost(demands, end)];
  }
  return ['P2: no number of commits in their order makes what is there'];
}

function lost({ chain, durable }: Demands, end: number): string {
  return `P1: '${chain[end]}' is gone, and durable was all to '${chain[durable - 1]}'`;
}

class MarkReading {
  #chain: string[] = [];
  #durable = 0;
  #removed = 0;
  #removing = 0;
  #faults = false;
  readonly #kept = new Set<string>();

  read(mark: string): void {
    const [verb, word = '', ...labels] = mark.split(' ');
    switch (verb) {
      case 'issue':
        this.#chain.push(word);
        break;
      case 'kept':
        this.#kept.add(word);
        break;
      case 'durable':
        this.#durable = Math.max(this.#durable, this.#placeOf(word) + 1);
        break;
      case 'refused':
        this.#chain.splice(this.#placeOf(word), 1);
        break;
      case 'faults':
        this.#faults = true;
        break;
      case 'removing':
        this.#removing = Math.max(this.#removing, Number(word));
        break;
      case 'removed':
        this.#removed = Math.max(this.#removed, Number(word));
        break;
      case 'opened':
        this.#chain = [...this.#chain.slice(0, Number(word)), ...labels];
        this.#durable = this.#chain.length;
        break;
      default:
        throw new Error(`'${mark}' is no mark of a promise`);
    }
  }

  demands(): Demands {
    const loose = this.#faults ? this.#chain.filter((label) => !this.#kept.has(label)) : [];
    return {
      chain: this.#chain,
      durable: this.#durable,
      loose: new Set(loose),
      removed: this.#removed,
      removing: this.#removing,
    };
  }

  #placeOf(label: string): number {
    const place = this.#chain.indexOf(label);
    if (place === -1) throw new Error(`a mark names '${label}', which was never issued`);
    return place;
  }
}
