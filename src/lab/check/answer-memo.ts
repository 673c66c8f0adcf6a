/**
 * Results of runs, found again by what the run had asked: a tree of questions, each branching by its answer. A
 * deterministic run asks the same next question whenever all answers so far were the same, so the way down is
 * nearly always one question a level; where runs differ all the same (threads), a level holds several.
 */

import type { CrashedDisk } from './checker.ts';
import { DiskAnswers, type DiskQuestion } from './disk-question.ts';

interface Branching<T> {
  readonly question: DiskQuestion;
  readonly answers: Map<string, Level<T>>;
}

interface Level<T> {
  result: { readonly value: T } | null;
  readonly branchings: Branching<T>[];
}

export class AnswerMemo<T> {
  readonly #root: Level<T> = { result: null, branchings: [] };
  #size = 0;

  /** How many results are kept. */
  get size(): number {
    return this.#size;
  }

  /** The result of a run that this disk would repeat; null when none is known. */
  find(disk: CrashedDisk): { readonly value: T } | null {
    return findIn(this.#root, new DiskAnswers(disk));
  }

  /** Keeps the result of a run on this disk, with all that the run asked, in order. */
  add(disk: CrashedDisk, questions: readonly DiskQuestion[], value: T): void {
    const answers = new DiskAnswers(disk);
    let level = this.#root;
    for (const question of new Set(questions)) {
      let branching = level.branchings.find((other) => other.question === question);
      if (branching === undefined) {
        branching = { question, answers: new Map() };
        level.branchings.push(branching);
      }
      const answer = answers.answer(question);
      let next = branching.answers.get(answer);
      if (next === undefined) {
        next = { result: null, branchings: [] };
        branching.answers.set(answer, next);
      }
      level = next;
    }
    if (level.result === null) this.#size += 1;
    level.result = { value };
  }
}

function findIn<T>(level: Level<T>, answers: DiskAnswers): { readonly value: T } | null {
  if (level.result !== null) return level.result;
  for (const { question, answers: branches } of level.branchings) {
    const next = branches.get(answers.answer(question));
    if (next === undefined) continue;
    const found = findIn(next, answers);
    if (found !== null) return found;
  }
  return null;
}
