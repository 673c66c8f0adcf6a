/**
 * Text that came from a trace, a file's name or a file's content, made fit to be looked at: what steers a display
 * instead of showing something is spelled out. Escaping for HTML is in `safe-html.ts`.
 */

/**
 * Control characters; marks that turn the direction of text; characters of no width; halves of surrogate pairs.
 * @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

/** `text` with each character that would not be seen as `\x1b`, `\n` or `\u{202e}`. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => {
    if (character === '\n') return String.raw`\n`;
    if (character === '\t') return String.raw`\t`;
    if (character === '\r') return String.raw`\r`;
    const code = character.codePointAt(0) ?? 0;
    const digits = code.toString(16);
    return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`;
  });
}

/** The first characters, with an ellipsis where some are left out. */
export function shortened(text: string, charactersMax: number): string {
  const characters = Array.from(text.slice(0, charactersMax * 2 + 2));
  if (characters.length <= charactersMax) return text;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}
