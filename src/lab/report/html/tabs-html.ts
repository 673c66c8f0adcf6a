/** Tabs: a list to choose from and a panel for each. The script hides the panels that are not chosen. */

import { html, type HtmlValue, type SafeHtml } from './safe-html.ts';

export interface Tab {
  readonly label: HtmlValue;
  readonly panel: HtmlValue;
}

export interface TabsLook {
  /** Unique in the page, of letters, digits and hyphens. */
  readonly id: string;
  /** What is chosen here, for those who do not see it. */
  readonly name: string;
  readonly isUpright: boolean;
}

/** The list and the panels; the caller puts them where they belong. */
export function tabsHtml(
  tabs: readonly Tab[],
  { id, name, isUpright }: TabsLook,
): { readonly list: SafeHtml; readonly panels: HtmlValue } {
  const orientation = isUpright ? 'vertical' : 'horizontal';
  const list = html`<div
    class="${isUpright ? 'list' : 'tabs'}"
    role="tablist"
    aria-label="${name}"
    aria-orientation="${orientation}"
  >
    ${tabs.map(
      ({ label }, index) =>
        html`<button
          type="button"
          role="tab"
          id="${id}-tab-${index}"
          aria-controls="${id}-${index}"
          aria-selected="${index === 0 ? 'true' : 'false'}"
        >
          ${label}
        </button> `,
    )}
  </div>`;
  const panels = tabs.map(
    ({ panel }, index) =>
      html`<div role="tabpanel" id="${id}-${index}" aria-labelledby="${id}-tab-${index}">
        ${panel}
      </div> `,
  );
  return { list, panels };
}
