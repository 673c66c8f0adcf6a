/** The pages of reports in a real browser: what they show, how they are used, and that nothing in them runs. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';

import { auditTrace } from '../../src/lab/audit/audit-trace.ts';
import { OldOrNewOracle } from '../../src/lab/check/old-or-new-oracle.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';
import { auditPage } from '../../src/lab/report/html/audit-page.ts';
import { labPage } from '../../src/lab/report/html/lab-page.ts';
import {
  openPage,
  skipWithoutBrowser,
  type Browser,
  startBrowser,
  type OpenedPage,
} from '../support/browser-page.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CWD = join('/', 'project');
const MODELS = ['ext4', 'ext4-journal'].map(modelByName);

/** Each would run something, end something or turn something around if it were not escaped. */
const HOSTILE = [
  `</script><script>window.ran = 1</script>`,
  `"><img src=x onerror="window.ran = 1">`,
  `' onmouseover='window.ran = 1' x='`,
  `\u202egnp.exe\u2066`,
  `nul-\u0001-bell-\u0007-line\nend`,
  '${window.ran = 1}`',
];

/** A file that is replaced without any sync, beside others; two causes at least. */
function carelessTrace(name = 'settings.json', content = 'new content'): Trace {
  return new TraceBuilder({ files: { [name]: 'old content', other: 'same' } })
    .from(`${CWD}/save.js`, 4)
    .writeFile('tmp', content)
    .from(`${CWD}/save.js`, 6)
    .rename('tmp', name)
    .mark('saved')
    .build();
}

const SOURCE = [
  `import fs from 'node:fs';`,
  '',
  'export function save(text) {',
  `  fs.writeFileSync('tmp', text); // </script><script>window.ran = 1</script>`,
  '',
  `  fs.renameSync('tmp', 'settings.json');`,
  '}',
];

const readLines = (file: string): readonly string[] | null =>
  file === `${CWD}/save.js` ? SOURCE : null;

async function labText(trace: Trace): Promise<string> {
  const checker = new OldOrNewOracle(trace);
  const result = await runLab(trace, { models: MODELS, checker });
  return labPage({ result, trace, cwd: CWD, readLines, replay: () => 'holdfast replay TOKEN' });
}

function auditText(trace: Trace): string {
  const result = auditTrace(trace, MODELS);
  const { findings } = result;
  const rest = { silenced: 0, command: ['node', 'save.js'], cwd: CWD, trace, readLines };
  return auditPage({ result, findings, ...rest });
}

suite('pages in a browser', skipWithoutBrowser(), () => {
  let browser: Browser | null = null;

  before(async () => {
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
  });

  async function open(
    t: TestContext,
    text: string,
    look: Parameters<typeof openPage>[3] = {},
  ): Promise<OpenedPage> {
    assert.ok(browser !== null);
    const opened = await openPage(browser, temporaryDirectory(t), text, look);
    t.after(async () => await opened.page.close());
    return opened;
  }

  test('names and contents that are HTML are shown as text, and nothing of them runs', async (t) => {
    const builder = new TraceBuilder({ files: { first: 'old' } });
    const names = HOSTILE.map((hostile) => hostile.replaceAll('/', '\u2215'));
    names.forEach((name, at) =>
      builder.writeFile(name, HOSTILE[at] ?? '').rename(name, `${name}2`),
    );
    const trace = builder.mark(HOSTILE.join('')).build();
    for (const text of [await labText(trace), auditText(trace)]) {
      const { complaints, asked, evaluate } = await open(t, text);
      assert.deepEqual([complaints, asked], [[], []]);
      assert.equal(await evaluate('String(window.ran)'), 'undefined');
      assert.equal(await evaluate(`document.querySelectorAll('script, img').length`), 1);
      assert.equal(
        await evaluate(`document.querySelectorAll('[onerror], [onmouseover]').length`),
        0,
      );
      const shown = await evaluate<string>('document.body.textContent');
      // oxlint-disable-next-line no-control-regex -- that there are none is what is asked
      assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
      for (const name of names.filter((one) => one.includes('window'))) {
        assert.ok(shown.includes(name), `${name} is not shown`);
      }
      assert.ok(shown.includes(String.raw`\u{202e}gnp.exe`));
      assert.ok(shown.includes(String.raw`nul-\x01-bell-\x07-line\nend`));
    }
  });

  test('a script that is put into the page is refused', async (t) => {
    const text = (await labText(carelessTrace())).replace(
      '</main>',
      '</main><script>window.ran = 1</script>',
    );
    const { complaints, evaluate } = await open(t, text);
    assert.equal(await evaluate('String(window.ran)'), 'undefined');
    assert.match(complaints.join(), /Content Security Policy/);
  });

  test('the missing sync stands after its line, and what was lost is named by a word', async (t) => {
    const { evaluate } = await open(t, await labText(carelessTrace()));
    const added = await evaluate<string>(`document.querySelector('tr.added').textContent`);
    assert.match(added, /missing after this call: fdatasync of the file tmp/);
    const here = `document.querySelector('tr.added').previousElementSibling.textContent`;
    assert.match(await evaluate<string>(here), /4.*writeFileSync/s);
    assert.match(await evaluate<string>(`document.querySelector('.call.lost').innerText`), /LOST/);
    assert.match(
      await evaluate<string>(`document.querySelector('.trees').innerText`),
      /new content/,
    );
  });

  const selected = (list: string): string =>
    `document.querySelector('${list} [aria-selected=true]').textContent`;

  test('arrow keys choose findings, models and calls, and the focus is seen', async (t) => {
    const { page, evaluate } = await open(t, await labText(carelessTrace()));
    const focused = async (): Promise<string> =>
      await evaluate('document.activeElement.className + document.activeElement.role');
    const visible = `Array.from(document.querySelectorAll('[role=tabpanel]')).filter((one) => one.offsetParent !== null).length`;
    assert.equal(await evaluate(visible), 2, 'one finding, on one model');
    const chosen = await evaluate<string>(selected('.list'));
    await page.focus('.list [role=tab]');
    await page.keyboard.press('ArrowDown');
    assert.notEqual(await evaluate(selected('.list')), chosen);
    assert.equal(await evaluate(visible), 2);
    const outline = 'getComputedStyle(document.activeElement).outlineStyle';
    assert.equal(await evaluate(outline), 'solid');
    await page.keyboard.press('Home');
    assert.equal(await evaluate(selected('.list')), chosen);
    for (let step = 0; step < 8 && (await focused()) !== 'calltab'; step++) {
      await page.keyboard.press('Tab');
      if (await evaluate('document.activeElement.closest(".tabs") !== null')) break;
    }
    const model = await evaluate<string>(selected('.tabs'));
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await evaluate(selected('.tabs')), model);
    await page.keyboard.press('ArrowLeft');
    for (let step = 0; step < 8; step++) {
      await page.keyboard.press('Tab');
      if (await evaluate('document.activeElement.matches("button.call")')) break;
    }
    const told = `document.activeElement.closest('.timeline').querySelector('.detail').textContent`;
    await page.keyboard.press('Home');
    const first = await evaluate<string>(told);
    assert.match(first, /^Call 1: creation of tmp/);
    await page.keyboard.press('ArrowRight');
    assert.match(await evaluate<string>(told), /^Call 2: write of 11 bytes to tmp/);
    await page.keyboard.press('ArrowDown');
    assert.match(await evaluate<string>(told), /mark "saved"/);
  });

  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  test('the rules of accessibility hold, light and dark, wide and narrow', async (t) => {
    const trace = carelessTrace();
    const lab = await labText(trace);
    for (const [text, colorScheme, width] of [
      [lab, 'light', 1280],
      [lab, 'dark', 420],
      [auditText(trace), 'dark', 1280],
    ] as const) {
      const { page, evaluate } = await open(t, text, { colorScheme, width });
      await page.evaluate(readFileSync(axe, 'utf8'));
      const broken = await evaluate<string[]>(
        `axe.run().then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + ' ' + nodes[0].html))`,
      );
      assert.deepEqual(broken, []);
      const sideways = 'document.documentElement.scrollWidth <= innerWidth';
      assert.equal(await evaluate(sideways), true, 'the page itself does not scroll sideways');
    }
  });
});

test('of ten thousand calls a page shows those that matter, and says how many it does not', async () => {
  const builder = new TraceBuilder({ files: { 'a.json': 'old' } }).from(`${CWD}/save.js`, 4);
  for (let index = 0; index < 10_000; index++) builder.append('log', `line ${index}`);
  const trace = builder.writeFile('tmp', 'new').rename('tmp', 'a.json').mark('saved').build();
  const text = auditText(trace);
  assert.ok(text.length < 1_500_000, `${text.length} characters`);
  assert.match(text, /\d{4,} more\s+calls\s+of this run\s+are\s+not shown/);
});
