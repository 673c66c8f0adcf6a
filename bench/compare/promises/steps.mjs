/**
 * What is written, one step after the other, and how a store is judged by what it shows. Steps of one operation are
 * puts, the others batches. Each round has values of its own, so that no two states are alike.
 */

const put = (key, value) => ({ type: 'put', key, value });
const del = (key) => ({ type: 'del', key });

export const KEYS = ['a', 'b', 'c', 'd'];

/** The steps of a round: 0 makes the store, 1 is made on the store that is there. */
export function steps(round) {
  return [
    [put('a', `${round}-1`)],
    [put('b', `${round}-2`), put('c', `${round}-2`)],
    [put('a', `${round}-3`)],
    [put('b', `${round}-4`), del('c')],
    [put('d', `${round}-5`)],
  ];
}

function apply(entries, step) {
  const next = new Map(entries);
  for (const { type, key, value } of step) {
    if (type === 'put') next.set(key, value);
    else next.delete(key);
  }
  return next;
}

/** What is there before the round and after each of its steps. */
function statesOf(round) {
  const before = round === 0 ? new Map() : statesOf(round - 1).at(-1);
  const states = [before];
  for (const step of steps(round)) states.push(apply(states.at(-1), step));
  return states;
}

/**
 * What is wrong with a store that shows these values, where so many steps of the round had been told: nothing, or of
 * `lost put`, `lost batch`, `torn` (some of a batch is there), `order` (something later is there without what came
 * before it) and `damaged` (a value that nobody wrote).
 */
export function judge(values, round, told) {
  const states = statesOf(round);
  const shows = (entries) => KEYS.every((key) => entries.get(key) === values[key]);
  const reached = states.findIndex(shows);
  if (reached < 0) {
    if (isTorn(states, round, shows)) return ['torn'];
    // Also in a round before: what this one began with may be gone.
    const ever = [0, round].flatMap(statesOf);
    const isWritten = KEYS.every((key) => ever.some((entries) => entries.get(key) === values[key]));
    return [isWritten ? 'order' : 'damaged'];
  }
  const gone = steps(round).slice(reached, told);
  const wrong = [];
  if (gone.some((step) => step.length === 1)) wrong.push('lost put');
  if (gone.some((step) => step.length > 1)) wrong.push('lost batch');
  return wrong;
}

/** Whether it is some state with one operation of the next batch, which are of two. */
function isTorn(states, round, shows) {
  return steps(round).some(
    (step, index) =>
      step.length > 1 && step.some((operation) => shows(apply(states[index], [operation]))),
  );
}
