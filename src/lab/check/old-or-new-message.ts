/**
 * One line that says what is wrong with a path of a crashed disk: lost, cut, empty, mixed, missing or back again.
 * Called only for paths that the oracle has refused; never decides anything.
 */

import type { FileTreeNode } from '../../vfs/file-tree.ts';
import type { ContentRule } from './content-rule.ts';
import { generationsLeft, statesLeft, type PathState } from './obligation-plan.ts';
import { printable } from './printable.ts';

/** REQUIRES: `found` is not allowed at the path when marks up to `marked` were given. */
export function describeViolation(
  path: string,
  states: readonly PathState[],
  marked: number,
  found: FileTreeNode | undefined,
): string {
  return `${printable(path)}: ${whatIsWrong(states, marked, found)}`;
}

function whatIsWrong(
  states: readonly PathState[],
  marked: number,
  found: FileTreeNode | undefined,
): string {
  const left = statesLeft(states, marked);
  const acknowledged = showsEarlier(states, marked, found);
  if (found === undefined) return missing(left, acknowledged !== null);
  if (left.every(({ event }) => event.shape === 'absent')) return back(left);
  const wanted = new Set(left.map(({ event }) => event.shape));
  if (!wanted.has(found.kind)) {
    if (acknowledged !== null) return `acknowledged content is gone (${acknowledged})`;
    return `is a ${found.kind} and should be a ${[...wanted].join(' or a ')}`;
  }
  if (found.kind !== 'file') {
    const shown = found.kind === 'symlink' ? ` (points to ${printable(found.target)})` : '';
    return acknowledged === null
      ? `is neither the old nor the new ${found.kind}${shown}`
      : `the acknowledged ${found.kind} is gone${shown}`;
  }
  if (acknowledged !== null) return `acknowledged content is gone (${acknowledged})`;
  const rules = rulesOf(left, marked);
  return `${damage(found.content, rules)}: neither the old nor the new version`;
}

function missing(left: readonly PathState[], acknowledged: boolean): string {
  const shapes = new Set(left.map(({ event }) => event.shape));
  const shape = shapes.size === 1 ? [...shapes].join('') : 'file';
  if (acknowledged) return `the acknowledged ${shape} is missing`;
  return 'is missing: neither the old nor the new version is there';
}

function back(left: readonly PathState[]): string {
  const last = left.findLast(({ event }) => event.cause !== 'initial');
  return last?.event.cause === 'rename-away'
    ? 'is back under its old name after an acknowledged rename'
    : 'is back after its acknowledged removal';
}

/**
 * What of the past is shown, for a state that would have been allowed had nothing been acknowledged; null when it
 * would not have been.
 */
function showsEarlier(
  states: readonly PathState[],
  marked: number,
  found: FileTreeNode | undefined,
): string | null {
  const before = statesLeft(states, -Infinity);
  if (found === undefined) {
    return before.some(({ event }) => event.shape === 'absent') ? 'missing' : null;
  }
  if (found.kind !== 'file') {
    const target = found.kind === 'symlink' ? found.target : '';
    const same = before.some(({ event }) => event.shape === found.kind && event.target === target);
    return same ? 'shows what was there before' : null;
  }
  const versions = rulesOf(before, -Infinity);
  if (!versions.some((rule) => rule.accepts(found.content))) return null;
  const now = rulesOf(statesLeft(states, marked), marked).map(({ version }) => version);
  const current = now[0];
  const { content } = found;
  if (content.length === 0) return 'the file is empty';
  const exact = versions.filter((rule) => isExact(rule)).map(({ version }) => version);
  const place = exact.findLastIndex((version) => version.equals(content));
  if (place !== -1) {
    const next = exact[place + 1];
    const direct = next !== undefined && now.some((version) => version.equals(next));
    return direct ? 'shows the version before' : 'shows an older version';
  }
  if (current === undefined) return 'shows other content';
  if (isPrefix(content, current)) return `shows ${content.length} of ${current.length} bytes`;
  return `differs from byte ${firstDifference(content, current)} on`;
}

function damage(content: Uint8Array, rules: readonly ContentRule[]): string {
  if (content.length === 0) return 'is empty';
  const versions = rules.map(({ version }) => version);
  const whole = versions.find((version) => isPrefix(content, version));
  if (whole !== undefined && whole.length > content.length) {
    return `is cut after ${content.length} of ${whole.length} bytes`;
  }
  if (content.every((byte) => byte === 0)) return `holds ${content.length} zero bytes`;
  const known = content.every((byte, at) =>
    versions.some((version) => at < version.length && version[at] === byte),
  );
  if (known) return 'mixes versions';
  const news = versions.at(-1);
  const from = news === undefined ? 0 : firstDifference(content, news);
  return `holds bytes that were never written there (from byte ${from} on)`;
}

function rulesOf(states: readonly PathState[], marked: number): ContentRule[] {
  return states.flatMap((state) =>
    generationsLeft(state, marked).map((generation) => generation.rule(state.completeFrom, marked)),
  );
}

function isExact(rule: ContentRule): boolean {
  return rule.lengthMin === rule.lengthMax;
}

function isPrefix(content: Uint8Array, version: Uint8Array): boolean {
  return (
    content.length <= version.length &&
    Buffer.compare(content, version.subarray(0, content.length)) === 0
  );
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at;
  return length;
}
