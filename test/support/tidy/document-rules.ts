/** Rules that hold documents and code together: subpaths, error codes, links. */

import { posix } from 'node:path';
import type { ProjectFile } from './project-file.ts';
import type { PackageFacts } from './structure-rules.ts';

/** Every subpath of the package stands in the README. */
export function checkSubpathsNamed(readme: ProjectFile, facts: PackageFacts): string[] {
  return Object.keys(facts.exports)
    .filter((subpath) => subpath !== '.' && subpath !== './package.json')
    .map((subpath) => `holdfast${subpath.slice(1)}`)
    .filter((name) => !readme.text.includes(name))
    .map((name) => `${readme.path}: does not mention ${name}: say what it is for`);
}

/** Every error code has a heading in `docs/errors.md`, and every heading a code. */
export function checkErrorCodes(errors: ProjectFile, page: ProjectFile): string[] {
  const codes = new Set(
    [...errors.text.matchAll(/'(HOLDFAST_[A-Z_]+)'/g)].map((match) => match[1]),
  );
  const headings = new Set(
    [...page.text.matchAll(/^#+ +`?(HOLDFAST_[A-Z_]+)`?/gm)].map((match) => match[1]),
  );
  return [
    ...[...codes]
      .filter((code) => !headings.has(code))
      .map((code) => `${page.path}: no heading for ${code}: say when it is thrown and what to do`),
    ...[...headings]
      .filter((code) => !codes.has(code))
      .map((code) => `${page.path}: ${code} is no code of ${errors.path}: remove the heading`),
  ];
}

/** Every relative link of a document leads to a file or folder of the project. */
export function checkLinks(files: readonly ProjectFile[]): string[] {
  const known = new Set<string>();
  for (const { path } of files) {
    for (let part = path; part !== '.'; part = posix.dirname(part)) known.add(part);
  }
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g)].flatMap((match) => {
        const link = match[1] ?? '';
        if (/^[a-z]+:/.test(link)) return [];
        const target = posix.normalize(posix.join(posix.dirname(path), link)).replace(/\/$/, '');
        return known.has(target) ? [] : [`${path}: the link to ${link} leads nowhere: mend it`];
      }),
    );
}

/** Every page that a source, a script or a document names by its path is there. */
export function checkPagesNamed(files: readonly ProjectFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return files
    .filter(({ path }) => /\.(?:ts|mjs|md)$/.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\bdocs\/[\w./-]+?\.md\b/g)]
        .filter(([page]) => !paths.has(page))
        .map(([page]) => `${path}: names ${page}, which is not there: write it, or name another`),
    );
}

/** Every folder that `folders` finds in a path (its first group) has its line in `page`. */
export function checkFoldersNamed(
  page: ProjectFile,
  files: readonly ProjectFile[],
  folders: RegExp,
): string[] {
  const found = new Set(files.flatMap(({ path }) => folders.exec(path)?.[1] ?? []));
  return [...found]
    .filter((folder) => !page.text.includes(`\`${folder}\``))
    .map((folder) => `${page.path}: does not say what \`${folder}\` is: give it a line`);
}
