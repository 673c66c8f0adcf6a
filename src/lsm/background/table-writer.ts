/**
 * Writes tables to files: creation, chunks, and the sync that comes before anybody may name them.
 * In either form, because the same work is done by a worker thread and, where there is none, in
 * this one. Not here: what goes into the tables.
 */

import { join } from 'node:path';

import { call } from '../../durable/two-forms.ts';
import type { TwoFormSteps } from '../../durable/two-forms.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { writeFully, writeFullySync } from '../../vfs/transfer.ts';
import type { VfsFile } from '../../vfs/vfs.ts';
import { tableName } from '../lsm-files.ts';
import type { TableMeta } from '../manifest/version-edit.ts';
import { TableBuilder } from '../table/table-builder.ts';
import type { TableFormatOptions } from '../table/table-builder.ts';
import { failing } from './job-failure.ts';

/** Tables of one job. Their names are durable after `finish`, and not before. */
export class TableWriter {
  readonly #dispatch: SyncDispatch;
  readonly #directory: string;
  readonly #format: TableFormatOptions;
  #nextNumber: number;
  #builder: TableBuilder | null = null;
  #file: VfsFile | null = null;
  #number = 0;
  #written = 0;
  readonly tables: TableMeta[] = [];

  /** Tables get the numbers from `firstNumber` on. */
  constructor(
    dispatch: SyncDispatch,
    directory: string,
    format: TableFormatOptions,
    firstNumber: number,
  ) {
    this.#dispatch = dispatch;
    this.#directory = directory;
    this.#format = format;
    this.#nextNumber = firstNumber;
  }

  /** The table that is being filled; null between two. */
  get builder(): TableBuilder | null {
    return this.#builder;
  }

  /** The number that the next table will get. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Begins a table. */
  *begin(): TwoFormSteps<TableBuilder> {
    const { vfs } = this.#dispatch;
    this.#number = this.#nextNumber++;
    const path = join(this.#directory, tableName(this.#number));
    const options = { write: true, create: true, exclusive: true, noFollow: true };
    this.#file = yield* failing(
      'write',
      call(
        () => vfs.openSync(path, options),
        () => vfs.open(path, options),
      ),
    );
    this.#written = 0;
    this.#builder = new TableBuilder(this.#format);
    return this.#builder;
  }

  /** Writes what is ready. Call it after each entry that makes a chunk ready. */
  *flush(): TwoFormSteps<void> {
    const chunk = this.#builder!.takeChunk();
    const file = this.#file!;
    const position = this.#written;
    this.#written += chunk.length;
    yield* failing(
      'write',
      call(
        () => writeFullySync(file, chunk, position),
        () => writeFully(file, chunk, position),
      ),
    );
  }

  /** Ends the table; its bytes are durable on return. */
  *end(): TwoFormSteps<void> {
    const builder = this.#builder!;
    const file = this.#file!;
    builder.finish();
    yield* this.flush();
    yield* failing(
      'sync',
      call(
        () => this.#dispatch.fileSync(file),
        () => this.#dispatch.file(file),
      ),
    );
    const { length, smallest, largest } = builder;
    this.tables.push({ number: this.#number, length, smallest, largest });
    this.#builder = null;
    yield* this.#closeFile();
  }

  /** Makes the names of all tables durable. */
  *finish(): TwoFormSteps<void> {
    if (this.tables.length === 0) return;
    const paths = this.tables.map(({ number }) => join(this.#directory, tableName(number)));
    const names = yield* failing(
      'write',
      call(
        () => this.#dispatch.openNamesSync(this.#directory),
        () => this.#dispatch.openNames(this.#directory),
      ),
    );
    try {
      yield* failing(
        'sync',
        call(
          () => names.syncSync(paths),
          () => names.sync(paths),
        ),
      );
    } finally {
      yield* call(
        () => names.closeSync(),
        () => names.close(),
      );
    }
  }

  /** After a failure: removes what was made, as far as that goes. */
  *abandon(): TwoFormSteps<void> {
    const { vfs } = this.#dispatch;
    yield* this.#closeFile();
    const numbers = this.tables.map(({ number }) => number);
    if (this.#builder !== null) numbers.push(this.#number);
    for (const number of numbers) {
      const path = join(this.#directory, tableName(number));
      try {
        yield* call(
          () => vfs.unlinkSync(path),
          () => vfs.unlink(path),
        );
      } catch {
        // It is no part of any version: the next open removes it.
      }
    }
  }

  *#closeFile(): TwoFormSteps<void> {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    try {
      yield* call(
        () => file.closeSync(),
        () => file.close(),
      );
    } catch {
      // Its bytes were synced, or the table is being abandoned.
    }
  }
}
