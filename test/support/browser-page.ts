/**
 * A real browser for tests of pages: Debian's, without a window, driven from outside. Everything that a page complains
 * of, asks for or starts is written down. Not for anything that a test can see in the page's text.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PROGRAM = '/usr/bin/chromium';

/** What is used of playwright-core: its own types need those of a browser's scripts, which nothing here has. */
export interface Browser {
  newPage(look: {
    readonly viewport: { readonly width: number; readonly height: number };
    readonly colorScheme: 'light' | 'dark';
  }): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  on(event: 'console', listener: (message: { text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(
    event: 'dialog',
    listener: (dialog: { message(): string; dismiss(): Promise<void> }) => void,
  ): void;
  on(event: 'request', listener: (request: { url(): string }) => void): void;
  goto(address: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  focus(selector: string): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
  close(): Promise<void>;
}

interface Driver {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: string[] }): Promise<Browser>;
  };
}

/** Options of a test: its reason to be skipped where there is no browser. */
export function skipWithoutBrowser(): { skip: string | false } {
  return { skip: existsSync(PROGRAM) ? false : `needs ${PROGRAM}` };
}

export async function startBrowser(): Promise<Browser> {
  // Its own sandbox does not work for root, and the pages are ours.
  const { chromium } = createRequire(import.meta.url)('playwright-core') as Driver;
  return await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] });
}

export interface OpenedPage {
  readonly page: Page;
  /** Messages of the console, errors and dialogs. */
  readonly complaints: string[];
  /** Addresses that it asked for, its own left out. */
  readonly asked: string[];
  /** The value of an expression in the page, which must be JSON. */
  evaluate<T>(expression: string): Promise<T>;
}

/** Opens a page from its text, in a file of `directory`. */
export async function openPage(
  browser: Browser,
  directory: string,
  text: string,
  look: { readonly colorScheme?: 'light' | 'dark'; readonly width?: number } = {},
): Promise<OpenedPage> {
  const file = join(directory, 'page.html');
  writeFileSync(file, text);
  const address = pathToFileURL(file).href;
  const { colorScheme = 'light', width = 1280 } = look;
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== address) asked.push(request.url());
  });
  await page.goto(address);
  return {
    page,
    complaints,
    asked,
    evaluate: async (expression) => await page.evaluate(expression),
  };
}
