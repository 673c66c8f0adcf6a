/**
 * The promises P1 to P6 of a log, or of a store that is a log underneath, as a judge of crashed disks: what the
 * program had said by the crash (marks) and what was found afterwards in, violations out. It knows commits only by
 * their labels; what a commit holds, and how it is found on a disk, its caller knows. Not a model of file systems.
 *
 * A program says, each as a mark and each at once:
 *
 *   issue LABEL        before a commit (an append, a batch, a transaction) is asked for
 *   durable LABEL      it is promised durable, and all before it: it resolved under `sync`, or a sync resolved
 *   within N LABEL     it resolved, and no more than the last N commits up to it may be lost: policy `batch`
 *   refused LABEL      it was refused and is promised never to show
 *   removing N         before the first N commits may be removed (truncation)
 *   removed N          the first N commits are promised never to show again
 *   opened N           recovery has served exactly the first N commits: durable, and what lay beyond is gone for good
 */

export type PromiseMark =
  'issue' | 'durable' | 'within' | 'refused' | 'removing' | 'removed' | 'opened';

/** What a disk owes, worked out from the marks. */
export interface Demands {
  /** The commits that may show, in commit order: issued, neither refused nor dropped by a recovery. */
  readonly chain: readonly string[];
  /** So many of them must be there. */
  readonly durable: number;
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
  let chain: string[] = [];
  let [durable, removed, removing] = [0, 0, 0];
  const lengthTo = (label: string | undefined): number => {
    const index = label === undefined ? -1 : chain.indexOf(label);
    if (index === -1) throw new Error(`a mark names '${label}', which was never issued`);
    return index + 1;
  };
  for (const mark of marks) {
    const [verb, word = '', label] = mark.split(' ');
    switch (verb) {
      case 'issue':
        chain.push(word);
        break;
      case 'durable':
        durable = Math.max(durable, lengthTo(word));
        break;
      case 'within':
        durable = Math.max(durable, lengthTo(label) - Number(word));
        break;
      case 'refused':
        chain.splice(lengthTo(word) - 1, 1);
        break;
      case 'removing':
        removing = Math.max(removing, Number(word));
        break;
      case 'removed':
        removed = Math.max(removed, Number(word));
        break;
      case 'opened':
        chain = chain.slice(0, Number(word));
        durable = chain.length;
        break;
      default:
        throw new Error(`'${mark}' is no mark of a promise`);
    }
  }
  return { chain, durable, removed, removing };
}

/**
 * What is wrong with a log: nothing where the list is empty. The first commit that shows is where removal may have
 * come to, and from there on they are those of the chain, in order and without a gap, at least to the last durable.
 */
export function judgeLog(demands: Demands, found: Found): string[] {
  const { chain, durable, removed, removing } = demands;
  const { first, labels } = found;
  const wrong: string[] = [];
  if (first < removed) wrong.push(`P5: commit ${first} is back, removed were ${removed}`);
  if (first > removing)
    wrong.push(`P2: the first is commit ${first}; only ${removing} may be gone`);
  labels.forEach((label, index) => {
    const wanted = chain[first + index];
    if (label === wanted) return;
    wrong.push(
      `P2: commit ${first + index} is '${label}' where '${wanted ?? 'nothing'}' was issued`,
    );
  });
  const end = first + labels.length;
  if (end < durable) {
    wrong.push(`P1: '${chain[end] ?? ''}' is gone, and durable was all to '${chain[durable - 1]}'`);
  }
  return wrong;
}

/**
 * What is wrong with a store, whose commits show only in what they add up to: `shows` says whether the disk shows
 * what these commits make, in this order. Some number of them, from the durable ones on, must be it.
 */
export function judgeState(
  { chain, durable }: Demands,
  shows: (commits: readonly string[]) => boolean,
): string[] {
  for (let end = chain.length; end >= durable; end--) if (shows(chain.slice(0, end))) return [];
  for (let end = durable - 1; end >= 0; end--) {
    if (shows(chain.slice(0, end))) {
      return [`P1: '${chain[end]}' is gone, and durable was all to '${chain[durable - 1]}'`];
    }
  }
  return ['P2: no number of commits in their order makes what is there'];
}
