/**
 * What every vfs must do, as one function run on each of them in both forms. The cases are in
 * `vfs-contract-files.ts` and `vfs-contract-names.ts`; the expected codes are Linux's, with those
 * of other systems beside them where they differ.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Vfs } from '../../src/vfs/vfs.ts';
import { blockingForm } from '../support/blocking-form.ts';
import type { TestScope } from '../support/temporary-directory.ts';
import { fileCases } from './vfs-contract-files.ts';
import { nameCases } from './vfs-contract-names.ts';

/** What a case gets: a vfs in one of its forms, and an empty directory on it. */
export interface ContractSetting {
  readonly fs: Vfs;
  /**
   * `root('a')` is the path of `a` in the empty directory; without a name, the directory itself.
   */
  readonly root: (name?: string) => string;
  readonly subject: VfsContractSubject;
  readonly scope: TestScope;
  /** The form under test of another vfs. */
  readonly form: (vfs: Vfs) => Vfs;
}

/** One sentence about behaviour, and the proof. */
export type ContractCase = readonly [
  sentence: string,
  run: (setting: ContractSetting) => Promise<void>,
];

/** An implementation under test. */
export interface VfsContractSubject {
  readonly name: string;
  /** A vfs and the path of an empty directory on it. */
  readonly create: (scope: TestScope) => { readonly vfs: Vfs; readonly root: string };
  /** As `create`, with room for this many bytes. */
  readonly createLimited?: (
    scope: TestScope,
    capacityBytes: number,
  ) => { readonly vfs: Vfs; readonly root: string };
  readonly umask: number;
  /** Cases that do not apply, by sentence, each with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** Declares the tests of the contract for one implementation. */
export function vfsContract(subject: VfsContractSubject): void {
  const cases = [...fileCases, ...nameCases];
  const skips = new Map(Object.entries(subject.skips ?? {}));
  const forms = [
    ['asynchronous', (vfs: Vfs): Vfs => vfs],
    ['blocking', blockingForm],
  ] as const;
  for (const [formName, form] of forms) {
    describe(`${subject.name}, ${formName} calls`, () => {
      for (const [sentence, run] of cases) {
        // A case that can never apply is no test that could be run elsewhere: it is left out, not skipped.
        if (skips.has(sentence)) continue;
        it(sentence, async (scope) => {
          const { vfs, root } = subject.create(scope);
          const at = (name?: string): string =>
            name === undefined ? root : `${root === '/' ? '' : root}/${name}`;
          await run({ fs: form(vfs), root: at, subject, scope, form });
        });
      }
    });
  }
  it(`${subject.name}: every skip names a case and a reason`, () => {
    const sentences = cases.map(([sentence]) => sentence);
    assert.equal(new Set(sentences).size, sentences.length, 'two cases have one sentence');
    for (const [sentence, reason] of skips) {
      assert.ok(sentences.includes(sentence), `no case is called: ${sentence}`);
      assert.ok(reason.length > 0, `no reason to skip: ${sentence}`);
    }
  });
}
