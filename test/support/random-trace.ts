/**
 * Small random programs as traces, from a seed, with everything that makes exploring hard: hard links, loops of
 * directories, exchange, holes, allocation, failed syncs, O_DSYNC, calls that overlap in time.
 */

import { Prng } from '../../src/base/prng.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';

const FILES = ['a', 'b', 'd/a'];
const OFFSETS = [0, 3, 700, 4090, 4096, 5000];
const LENGTHS = [1, 4, 10, 600, 1200];
const SIZES = [0, 2, 100, 4096, 4100];
const MODES = ['extend', 'keep-size', 'punch-hole', 'zero-range'] as const;

export interface RandomTrace {
  readonly trace: Trace;
  /** What the program does, for messages. */
  readonly steps: readonly string[];
}

/** The same trace for the same seed. */
export function randomTrace(seed: number, stepCount: number): RandomTrace {
  const program = new RandomProgram(seed);
  for (let step = 0; step < stepCount; step++) program.step();
  return program.finish();
}

class RandomProgram {
  readonly #prng: Prng;
  readonly #builder: TraceBuilder;
  readonly #steps: string[] = [];
  /** Path to 'file' or 'directory', as a program would see it now. */
  readonly #names = new Map<string, 'file' | 'directory'>();
  #pending: string[] = [];
  #count = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const files: Record<string, string | Uint8Array> = { 'd/': '' };
    this.#names.set('d', 'directory');
    for (const name of FILES) {
      if (this.#prng.below(3) === 0) continue;
      files[name] = this.#bytes(this.#prng.pick([0, 5, 700, 4200]));
      this.#names.set(name, 'file');
    }
    this.#steps.push(Object.keys(files).join(' '));
    this.#builder = new TraceBuilder({ files });
  }

  step(): void {
    this.#count++;
    const overlaps = this.#prng.below(6) === 0;
    const label = `call ${this.#count}`;
    const before = this.#steps.length;
    if (overlaps) this.#builder.starting(label);
    const kind = this.#prng.pick(['data', 'data', 'name', 'name', 'sync', 'other'] as const);
    const done =
      kind === 'name' ? this.#name(overlaps) : kind === 'data' ? this.#data() : this.#rest(kind);
    if (!done) {
      // Something that always can be called, so that a started call is not left hanging.
      this.#builder.mark(label);
      this.#steps.push('mark');
    }
    if (overlaps) {
      this.#steps[before] = `start ${this.#steps[before] ?? ''}`;
      this.#pending.push(label);
    }
    if (this.#pending.length > 0 && this.#prng.below(2) === 0) this.#end();
  }

  finish(): RandomTrace {
    while (this.#pending.length > 0 && this.#prng.below(4) > 0) this.#end();
    return { trace: this.#builder.build(), steps: this.#steps };
  }

  #end(): void {
    const label = this.#prng.pick(this.#pending);
    this.#pending = this.#pending.filter((other) => other !== label);
    this.#builder.end(label);
    this.#steps.push(`end of ${label}`);
  }

  #bytes(length: number): Uint8Array {
    const letter = 97 + this.#prng.below(26);
    return new Uint8Array(length).fill(letter);
  }

  #file(): string | null {
    const files = [...this.#names].flatMap(([name, kind]) => (kind === 'file' ? [name] : []));
    return files.length === 0 ? null : this.#prng.pick(files);
  }

  #freeName(): string | null {
    const places = ['a', 'b', 'c', 'd/a', 'e'].filter((name) => !this.#names.has(name));
    const there = places.filter((name) => !name.includes('/') || this.#names.has('d'));
    return there.length === 0 ? null : this.#prng.pick(there);
  }

  #data(): boolean {
    const file = this.#file();
    if (file === null) return false;
    const builder = this.#builder;
    const bytes = this.#bytes(this.#prng.pick(LENGTHS));
    const offset = this.#prng.pick(OFFSETS);
    const size = this.#prng.pick(SIZES);
    const mode = this.#prng.pick(MODES);
    const call = this.#prng.below(8);
    if (call < 2) builder.append(file, bytes);
    else if (call < 4) builder.write(file, offset, bytes);
    else if (call === 4) builder.write(file, offset, bytes, { durable: 'data' });
    else if (call < 7) builder.truncate(file, size);
    else builder.allocate(file, offset, bytes.length, mode);
    const told = ['append', 'append', 'write', 'write', 'dsync', 'truncate', 'truncate', mode];
    this.#steps.push(`${told[call] ?? ''} ${file} ${offset}+${bytes.length} size ${size}`);
    return true;
  }

  /** Calls on names are not left open: what they see depends on the ones before. */
  #name(overlaps: boolean): boolean {
    const file = this.#file();
    const free = this.#freeName();
    const call = this.#prng.below(8);
    if (overlaps && call > 1) return false;
    if (call === 0 && free !== null && free !== 'e') {
      this.#names.set(free, 'file');
      this.#builder.create(free);
      this.#steps.push(`create ${free}`);
      return true;
    }
    if (file === null) return false;
    return call < 5 ? this.#move(call, file, free) : this.#tree(call, file, free);
  }

  #move(call: number, file: string, free: string | null): boolean {
    const other = this.#file();
    if (call === 1) {
      this.#builder.unlink(file);
      this.#names.delete(file);
      this.#steps.push(`unlink ${file}`);
    } else if (call === 2 && free !== null && free !== 'e') {
      this.#builder.link(file, free);
      this.#names.set(free, 'file');
      this.#steps.push(`link ${file} ${free}`);
    } else if (call === 3 && other !== null && other !== file) {
      this.#builder.rename(file, other, { exchange: true });
      this.#steps.push(`exchange ${file} ${other}`);
    } else {
      const to = free !== null && free !== 'e' && this.#prng.below(2) === 0 ? free : other;
      if (to === null || to === file) return false;
      this.#builder.rename(file, to);
      this.#names.delete(file);
      this.#names.set(to, 'file');
      this.#steps.push(`rename ${file} ${to}`);
    }
    return true;
  }

  #tree(call: number, file: string, free: string | null): boolean {
    const builder = this.#builder;
    if (call === 5 && !this.#names.has('e')) {
      builder.mkdir('e');
      this.#names.set('e', 'directory');
      this.#steps.push('mkdir e');
    } else if (call === 6 && this.#names.has('e') && this.#names.has('d')) {
      const nested = [...this.#names.keys()].filter((name) => /^[de]\//.test(name));
      if (nested.length > 0) return false;
      // Directories into each other and back: lost moves can make a loop.
      builder.rename('e', 'd/e').rename('d/e', 'e');
      this.#steps.push('e into d and back');
    } else if (free !== null && free !== 'e') {
      builder.symlink(file, free);
      this.#names.set(free, 'directory');
      this.#steps.push(`symlink ${free}`);
    } else return false;
    return true;
  }

  #rest(kind: 'sync' | 'other'): boolean {
    return kind === 'sync' ? this.#sync() : this.#other();
  }

  #sync(): boolean {
    const file = this.#file() ?? '.';
    const call = this.#prng.below(8);
    const builder = this.#builder;
    if (call < 2) builder.fsync(file);
    else if (call < 4) builder.fdatasync(file);
    else if (call === 4) builder.fsync('.');
    else if (call === 5) builder.fsync(this.#names.has('d') ? 'd' : '.');
    else if (call === 6) builder.failing('EIO').fsync(file);
    else builder.syncAll();
    const told = ['fsync', 'fsync', 'fdatasync', 'fdatasync', 'fsync .', 'fsync d', 'EIO', 'sync'];
    this.#steps.push(`${told[call] ?? ''} ${file}`);
    return true;
  }

  #other(): boolean {
    const file = this.#file();
    if (file === null || this.#prng.below(2) === 0) {
      this.#builder.mark(`told ${this.#count}`);
      this.#steps.push('mark');
    } else {
      const mode = this.#prng.pick([0o600, 0o640]);
      this.#builder.chmod(file, mode);
      this.#steps.push(`chmod ${file}`);
    }
    return true;
  }
}
