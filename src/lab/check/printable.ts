/** Text that came with a trace or from a checker, made fit to be one line of a report or a terminal. */

const LINE_CHARACTERS_MAX = 300;

/** One line that is safe to show: without escape sequences and control characters, and not too long. */
export function printable(line: string): string {
  const plain = line
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    .replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, '')
    // eslint-disable-next-line no-control-regex -- as above; also the marks that turn text around
    .replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g, ' ')
    .trim();
  if (plain.length <= LINE_CHARACTERS_MAX) return plain;
  return `${plain.slice(0, LINE_CHARACTERS_MAX - 1)}…`;
}
