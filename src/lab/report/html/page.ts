/**
 * The shell of every page: one file, that asks the network for nothing and runs no script but its own. What goes into
 * it is made by `lab-page.ts` and `audit-page.ts`.
 */

import { createHash } from 'node:crypto';

import { html, trustedHtml, type HtmlValue } from './safe-html.ts';
import { PAGE_ICONS } from './page-icons.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface PageParts {
  readonly title: string;
  /** The first line: what the run came to. */
  readonly verdict: Verdict;
  /** The recorded program, word by word; empty where it is not known. */
  readonly command: readonly string[];
  /** Numbers below the verdict. */
  readonly figures: readonly Figure[];
  readonly sections: readonly HtmlValue[];
}

export interface Verdict {
  readonly kind: 'bad' | 'good' | 'unsure';
  readonly word: string;
  readonly sentence: string;
}

export interface Figure {
  readonly value: string;
  readonly label: string;
}

/** Whole elements: their digests are of every character between the tags. */
const STYLE = trustedHtml(`<style>${PAGE_STYLE}</style>`);
const SCRIPT = trustedHtml(`<script>${PAGE_SCRIPT}</script>`);

/** The whole file. */
export function page({ title, verdict, command, figures, sections }: PageParts): string {
  const icon = { bad: 'i-bad', good: 'i-good', unsure: 'i-unsure' }[verdict.kind];
  const made = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy()}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${STYLE}
      </head>
      <body>
        ${trustedHtml(PAGE_ICONS)}
        <a class="skip" href="#main">To the findings</a>
        <header class="top">
          <p class="brand">Holdfast</p>
          <h1 class="verdict ${verdict.kind}">
            <svg aria-hidden="true"><use href="#${icon}" /></svg
            ><span><b>${verdict.word}</b> ${verdict.sentence}</span>
          </h1>
          ${
            command.length === 0
              ? null
              : html`<p class="command">
                  <span class="label">program</span> <code><bdi>${command.join(' ')}</bdi></code>
                </p>`
          }
          <dl class="figures">
            ${figures.map(
              ({ value, label }) =>
                html`<div>
                  <dt>${label}</dt>
                  <dd>${value}</dd>
                </div>`,
            )}
          </dl>
        </header>
        <main id="main" tabindex="-1">
          ${sections.map((section) => [section, trustedHtml('\n')])}
        </main>
        ${SCRIPT}
      </body>
    </html> `;
  return made.toString();
}

/** Nothing may be loaded, sent or framed; the script and the style of this file are known by their digests. */
function contentSecurityPolicy(): string {
  return [
    "default-src 'none'",
    `script-src '${digest(PAGE_SCRIPT)}'`,
    `style-src '${digest(PAGE_STYLE)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
