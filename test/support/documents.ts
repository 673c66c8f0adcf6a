/** Programs and commands that stand in a document, so that tests can run them as written. */

/** One fenced block of a Markdown text. */
export interface Snippet {
  /** The word after the fence: `js`, `sh`, … */
  readonly language: string;
  readonly text: string;
  /** One-based line of the fence. */
  readonly line: number;
  /** For programs: the file name in a first line `// name.mjs`. */
  readonly fileName: string | undefined;
  /** For commands: from a last line `# exits 0, 1 or 3 …`; 0 without one. */
  readonly exitCodes: readonly number[];
}

/** The fenced blocks of `markdown`, in their order. */
export function findSnippets(markdown: string): Snippet[] {
  return [...markdown.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map((match) => {
    const [, language = '', text = ''] = match;
    return {
      language,
      text,
      line: markdown.slice(0, match.index).split('\n').length,
      fileName: /^\/\/ (\S+\.m?js)\n/.exec(text)?.[1],
      exitCodes: (/^# exits ([\d, or]+)/m.exec(text)?.[1] ?? '0').match(/\d+/g)?.map(Number) ?? [],
    };
  });
}
