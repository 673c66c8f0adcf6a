/**
 * Files that a program itself rebuilds, such as the shared-memory index of SQLite's log: what a crash
 * leaves of them must not matter, so that nobody has to know what it is. They are named by patterns,
 * and tried absent, full of zeros and full of garbage. Not here: who judges the disks.
 */

import { Prng } from '../../base/prng.ts';
import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';

/** What the recorders call bytes that came into a file through a mapping. */
const SHARED_MAPPING = 'a shared writable mapping: ';

/** How the files are shown, in this order. */
const FORMS = ['absent', 'full of zeros', 'full of garbage'] as const;
type Form = (typeof FORMS)[number];

/** Which files of a root a program rebuilds. */
export class RebuiltFiles {
  readonly #patterns: readonly RegExp[];

  /**
   * Patterns as of a shell: `*` and `?` within a name, `**` over directories. One without `/` is for
   * the name in any directory.
   * @throws UsageError for an empty one
   */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(patternOf);
  }

  /** Whether a path, relative to the root, is one of them. */
  has(path: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(path));
  }

  /** Whether something that was not modelled does not matter, because only such a file has it. */
  explains(unmodelled: string): boolean {
    if (!unmodelled.startsWith(SHARED_MAPPING)) return false;
    return this.has(unmodelled.slice(SHARED_MAPPING.length));
  }

  /** The tree with its rebuilt files in another form; null where it has none. */
  inForm(root: FileTreeDirectory, form: Form): FileTreeDirectory | null {
    return this.#directory(root, '', form);
  }

  #directory(directory: FileTreeDirectory, path: string, form: Form): FileTreeDirectory | null {
    const entries = new Map<string, FileTreeNode>();
    let changed = false;
    for (const [name, node] of directory.entries) {
      const inside = path === '' ? name : `${path}/${name}`;
      let shown: FileTreeNode | null = node;
      if (node.kind === 'directory') shown = this.#directory(node, inside, form) ?? node;
      else if (node.kind === 'file' && this.has(inside)) shown = fileIn(node, form);
      if (shown !== node) changed = true;
      if (shown !== null) entries.set(name, shown);
    }
    return changed ? { ...directory, entries } : null;
  }
}

/** Judges each disk with the rebuilt files in every form; the first form that fails decides. */
export class RebuiltChecker implements Checker {
  readonly name: string;
  readonly #inner: Checker;
  readonly #files: RebuiltFiles;

  constructor(inner: Checker, files: RebuiltFiles) {
    this.name = `${inner.name} (rebuilt files in ${FORMS.length} forms)`;
    this.#inner = inner;
    this.#files = files;
  }

  get concurrency(): number {
    return this.#inner.concurrency ?? 1;
  }

  get doubts(): readonly string[] {
    return this.#inner.doubts ?? [];
  }

  get remembered(): number {
    return this.#inner.remembered ?? 0;
  }

  async check({ root, marks }: CrashedDisk): Promise<Verdict> {
    for (const form of FORMS) {
      const shown = this.#files.inForm(root, form);
      if (shown === null) return await this.#inner.check({ root, marks });
      const verdict = await this.#inner.check({ root: shown, marks });
      if (!verdict.ok) return { ok: false, message: `${verdict.message} (rebuilt files ${form})` };
    }
    return { ok: true };
  }

  async close(): Promise<void> {
    await this.#inner.close?.();
  }
}

function fileIn(node: Extract<FileTreeNode, { kind: 'file' }>, form: Form): FileTreeNode | null {
  if (form === 'absent') return null;
  const content = new Uint8Array(node.content.length);
  if (form === 'full of garbage') {
    // The same on every disk, so that equal disks stay equal.
    const prng = new Prng(content.length + 1);
    for (let index = 0; index < content.length; index++) content[index] = prng.below(256);
  }
  return { kind: 'file', mode: node.mode, content };
}

function patternOf(text: string): RegExp {
  if (text === '') throw new UsageError('--rebuilt is empty: it takes a pattern of file names');
  const source = text
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*\*\/|\*\*|\*|\?/g, (part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : '[^/]';
    });
  return new RegExp(text.includes('/') ? `^${source}$` : `^(?:.*/)?${source}$`, 's');
}
