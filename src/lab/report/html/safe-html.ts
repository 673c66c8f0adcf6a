/**
 * HTML that is right by construction: the only way from text to a page is the template `html`, which makes every
 * value visible and escapes it, in elements and in quoted attributes alike. Nothing here knows what a page shows.
 */

import { visibleText } from './visible-text.ts';

/** A piece of HTML. Only this module makes one from a string. */
export class SafeHtml {
  readonly #text: string;

  /** @param text HTML already; `html` and `trustedHtml` are the ways to it. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What a template takes: text is escaped, null is nothing, a list is its parts one after the other. */
export type HtmlValue = SafeHtml | string | number | null | readonly HtmlValue[];

/** Values go where text or a quoted attribute stands; never into a tag's name, a script or a style. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  const parts = [strings[0] ?? ''];
  values.forEach((value, index) => parts.push(textOf(value), strings[index + 1] ?? ''));
  return new SafeHtml(parts.join(''));
}

/** Text of our own that is HTML, a script or a style as it stands. */
export function trustedHtml(text: string): SafeHtml {
  return new SafeHtml(text);
}

function textOf(value: HtmlValue): string {
  if (value === null) return '';
  if (value instanceof SafeHtml) return value.toString();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(visibleText(value));
  return value.map(textOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
