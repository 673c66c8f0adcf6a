/**
 * A checker of the laboratory that has disks judged by child processes, and counts what they say. A disk that fails in a
 * new way is judged again by a process that has seen no other, and so is every twentieth, after 2,000 of a round every
 * two hundredth. Our own stores are opened in memory, on the same bytes.
 */

import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { acknowledgedLines } from '../../../dist/lab/check/acknowledged-lines.js';
import { treeDigest } from '../../../dist/lab/replay/tree-digest.js';
import { MemoryVfs } from '../../../dist/vfs/memory-vfs.js';
import { judgeStore } from './judge.mjs';
import { STORES } from './stores.mjs';

const JUDGE = join(import.meta.dirname, 'judge-process.mjs');
const DISKS_PER_PROCESS = 400;
/** Then nothing is known of the disk: the machine may be busy. */
const SECONDS_MAX = 120;
/** Starting a process for one disk costs as much as judging a hundred. */
const freshEvery = (disks) => (disks > 2000 ? 200 : 20);

/** How many steps had returned. */
const numberTold = (lines) => lines.filter((line) => line.startsWith('step ')).length;

function writeTree(directory, path) {
  mkdirSync(path, { recursive: true });
  for (const [name, node] of directory.entries) {
    const inside = join(path, name);
    if (node.kind === 'directory') writeTree(node, inside);
    else if (node.kind === 'symlink') symlinkSync(node.target, inside);
    else writeFileSync(inside, node.content);
  }
}

/** One child, that judges one disk at a time. */
class JudgeProcess {
  #child = null;
  #judged = 0;

  async ask(question) {
    if (this.#judged >= DISKS_PER_PROCESS) this.end();
    this.#child ??= fork(JUDGE, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.#judged += 1;
    const child = this.#child;
    return await new Promise((resolve) => {
      const settle = (answer) => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (answer.isDead) this.end();
        resolve(answer);
      };
      const timer = setTimeout(() => {
        settle({ wrong: [], why: `no end within ${SECONDS_MAX} s`, isDead: true, isLate: true });
      }, SECONDS_MAX * 1000);
      child.once('message', settle);
      child.once('exit', (code, signal) => {
        settle({ wrong: ['refused'], why: `the process ends: ${signal ?? code}`, isDead: true });
      });
      child.send(question);
    });
  }

  end() {
    this.#child?.kill('SIGKILL');
    this.#child = null;
    this.#judged = 0;
  }
}

/** One disk, judged by a process of its own. */
export async function judgeOnce(question) {
  const judge = new JudgeProcess();
  const answer = await judge.ask(question);
  judge.end();
  return answer;
}

export class DiskJudge {
  name;
  concurrency;
  doubts = [];
  /** How many disks showed what, since `tally` was emptied. */
  tally = new Map();
  #round;
  #idle;
  #known = new Map();
  #scratch = mkdtempSync(join(tmpdir(), 'holdfast-promises-'));
  #disks = 0;
  #ways = new Set();
  #rebuilt;

  /** `rebuilt`: the files that a store makes anew when it opens; they are shown as absent. */
  constructor(name, { round, jobs, rebuilt }) {
    this.name = name;
    this.#round = round;
    this.#rebuilt = rebuilt;
    this.concurrency = jobs;
    this.#idle = Array.from({ length: jobs }, () => new JudgeProcess());
  }

  async check(disk) {
    const { marks } = disk;
    const root = this.#rebuilt.inForm(disk.root, 'absent') ?? disk.root;
    const told = numberTold(acknowledgedLines(marks));
    const key = `${told} ${treeDigest(root)}`;
    let answer = this.#known.get(key);
    if (answer === undefined) {
      answer = await this.#examine(root, told);
      this.#known.set(key, answer);
    }
    for (const what of answer.wrong) this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
    if (answer.wrong.length === 0) return { ok: true };
    return { ok: false, message: `${answer.wrong.join(', ')}: ${answer.why}` };
  }

  async #examine(root, told) {
    this.#disks += 1;
    const isSample = this.#disks % freshEvery(this.#disks) === 0;
    const judge = this.#idle.pop();
    const first = await this.#ask(judge, root, told);
    this.#idle.push(judge);
    if (first.isLate) this.doubts.push(first.why);
    const way = `${first.wrong} ${first.why}`;
    const isNew = first.wrong.length > 0 && !this.#ways.has(way);
    this.#ways.add(way);
    if (!isNew && !isSample) return first;
    const fresh = new JudgeProcess();
    const second = await this.#ask(fresh, root, told);
    fresh.end();
    if (second.wrong.join() !== first.wrong.join()) {
      this.doubts.push(
        `one disk, two answers: ${first.wrong} ${first.why}; ${second.wrong} ${second.why}`,
      );
    }
    return second;
  }

  async #ask(judge, root, told) {
    if (STORES[this.name].needs === null) {
      const vfs = MemoryVfs.fromTree(root);
      return this.#named(
        await judgeStore(this.name, { round: this.#round, place: '/db', told, vfs }),
        told,
      );
    }
    // A directory of its own for each: native code may remember one by its name or number.
    const directory = mkdtempSync(join(this.#scratch, 'disk-'));
    writeTree(root, directory);
    const answer = await judge.ask({ name: this.name, round: this.#round, directory, told });
    rmSync(directory, { recursive: true, force: true });
    const why = answer.why.replaceAll(directory, '');
    return this.#named({ ...answer, why }, told);
  }

  #named({ wrong, why, isLate = false }, told) {
    // Where a store was being made and no write had returned, nothing is lost: but it has to be removed by hand.
    const isHalfMade = wrong.includes('refused') && this.#round === 0 && told === 0;
    const text = why.replaceAll(/\d{5,}/g, 'N');
    return { wrong: isHalfMade ? ['half-made'] : wrong, why: text, isLate };
  }

  async close() {
    for (const judge of this.#idle) judge.end();
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}
