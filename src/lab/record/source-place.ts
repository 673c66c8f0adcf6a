/**
 * Where a frame stands in the source that people edit, when a test runner or a compiler has put other code in its
 * place: asked of the runner's own `Error.prepareStackTrace`, or of the source maps that Node has loaded. Where
 * neither knows better, the place is the one that runs.
 */

import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Places asked for so far: a call in a loop has one. */
const known = new Map<string, SourcePlace>();

/** More are forgotten. */
const KNOWN_MAX = 10_000;

/** `prepare` is what stood in `Error.prepareStackTrace`; `file` is the path of the frame's file. */
export function sourcePlace(site: NodeJS.CallSite, file: string, prepare: unknown): SourcePlace {
  const place = { file, line: site.getLineNumber() ?? 0, column: site.getColumnNumber() ?? 0 };
  const key = `${place.line}:${place.column}:${file}`;
  let source = known.get(key);
  if (source === undefined) {
    source = placeFromRunner(site, prepare) ?? placeFromSourceMap(place) ?? place;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(key, source);
  }
  return source;
}

function placeFromRunner(site: NodeJS.CallSite, prepare: unknown): SourcePlace | null {
  if (typeof prepare !== 'function') return null;
  let text: unknown;
  try {
    text = Reflect.apply(prepare, Error, [new Error(''), [site]]);
  } catch {
    // It is the program's own, and not made to be asked like this.
    return null;
  }
  const line = typeof text === 'string' ? text.split('\n').at(-1) : undefined;
  const parts = /(?:\(|at (?:async )?)([^()]+):(\d+):(\d+)\)?$/.exec(line ?? '');
  const [, file = '', lineNumber, column] = parts ?? [];
  if (!/^(?:\/|file:|[a-zA-Z]:\\)/.test(file)) return null;
  return { file: pathOf(file), line: Number(lineNumber), column: Number(column) };
}

function placeFromSourceMap({ file, line, column }: SourcePlace): SourcePlace | null {
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return null;
  const { originalSource, originalLine, originalColumn } = entry;
  if (!/^(?:\/|file:)/.test(originalSource)) return null;
  return { file: pathOf(originalSource), line: originalLine + 1, column: originalColumn + 1 };
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}
