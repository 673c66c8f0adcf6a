/** The files of the project as the tidy rules see them: a path, a text, and for sources what they import. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { lineAt, maskText, type MaskedText } from './source-text.ts';

/** One file, with a path relative to the project and forward slashes. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** One `import`, `export … from`, `import(…)` or `new URL(…, import.meta.url)`. */
export interface ImportEdge {
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** Path of the source meant, for a relative specifier. */
  readonly target: string | undefined;
  /** `static` is what a CommonJS `require` of the file would load too. */
  readonly kind: 'static' | 'dynamic' | 'url';
}

/** A TypeScript source with what the rules need of it. */
export interface SourceFile extends ProjectFile, MaskedText {
  readonly imports: readonly ImportEdge[];
}

const IGNORED = new Set(['.git', 'node_modules', 'dist', 'build', '.holdfast']);

/** Every file under `top`, except what tools make. */
export function readProject(top: string): ProjectFile[] {
  const files: ProjectFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (IGNORED.has(entry.name) || entry.name.endsWith('.tgz')) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) {
        // Bytes as Latin-1 first: a binary file must reach the rules with its NUL bytes.
        const bytes = readFileSync(join(top, path));
        files.push({ path, text: bytes.toString(bytes.includes(0) ? 'latin1' : 'utf8') });
      }
    }
  };
  walk('');
  return files;
}

/** The TypeScript files among `files`, scanned. */
export function scanSources(files: readonly ProjectFile[]): SourceFile[] {
  return files
    .filter(({ path }) => path.endsWith('.ts'))
    .map((file) => {
      const masked = maskText(file.text);
      return { ...file, ...masked, imports: findImports(file.path, masked) };
    });
}

const EDGES: readonly { kind: ImportEdge['kind']; pattern: RegExp }[] = [
  { kind: 'static', pattern: /(?:^|[;}\s])(?:import|export)\b[^'";]*?\bfrom\s*(['"])(.+?)\1/g },
  { kind: 'static', pattern: /(?:^|\n)\s*import\s*(['"])(.+?)\1/g },
  { kind: 'dynamic', pattern: /\bimport\s*\(\s*(['"])(.+?)\1/g },
  { kind: 'url', pattern: /\bnew\s+URL\s*\(\s*(['"])(\..+?)\1\s*,\s*import\.meta\.url/g },
];

function findImports(path: string, { uncommented, code }: MaskedText): ImportEdge[] {
  const edges: ImportEdge[] = [];
  for (const { kind, pattern } of EDGES) {
    for (const match of uncommented.matchAll(pattern)) {
      const specifier = match[2] ?? '';
      const keyword = match.index + match[0].search(/import|export|new/);
      // The same words inside a string are no import.
      if (!/^(?:import|export|new)/.test(code.slice(keyword, keyword + 6))) continue;
      const target = specifier.startsWith('.')
        ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
        : undefined;
      edges.push({ line: lineAt(uncommented, keyword), specifier, target, kind });
    }
  }
  return edges;
}

/** The folder of `src` that a path is in: `vfs` for `src/vfs/vfs.ts`, `index.ts` for `src/index.ts`. */
export function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1];
}

/** Everything reachable from `entries` over edges of these kinds, the entries included. */
export function reachable(
  sources: readonly SourceFile[],
  entries: readonly string[],
  kinds: readonly ImportEdge['kind'][],
): Set<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const seen = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = byPath.get(path);
    if (source === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { target, kind } of source.imports) {
      if (target !== undefined && kinds.includes(kind)) open.push(target);
    }
  }
  return seen;
}
