/** The generated parts of docs/found.md, between its marks: one table, and a section for each program. */

const ORDER = { durable: 0, whole: 1, atomic: 2, none: 3 };
const LEVELS = {
  durable: 'it lasts',
  whole: 'it is sound',
  atomic: 'old or new',
  none: 'nothing',
};

/** @returns the page with the parts between `<!-- NAME -->` and `<!-- /NAME -->` made anew. */
export function foundPage(page, results) {
  const sorted = results.toSorted(
    (a, b) =>
      ORDER[a.one.promise.level] - ORDER[b.one.promise.level] ||
      a.one.name.localeCompare(b.one.name, 'en'),
  );
  const parts = { totals: totals(sorted), table: table(sorted), programs: sections(sorted) };
  let text = page;
  for (const [name, content] of Object.entries(parts)) {
    const between = new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`);
    if (!between.test(text)) throw new Error(`docs/found.md: no place for ${name}`);
    text = text.replace(between, () => `<!-- ${name} -->\n\n${content}\n\n<!-- /${name} -->`);
  }
  return text;
}

/** Findings that nobody has examined: the page must not have any. */
export function notExamined({ one, result }) {
  return result.findings
    .filter((finding) => examinedOf(one, finding) === undefined)
    .map((finding) => `${one.id}: ${textOf(finding)}`);
}

/** What `finding` of an entry in case.json is matched with. */
function textOf({ missing, shows }) {
  return `${missing ?? 'no sync repairs it'} | ${shows.join('; ')}`;
}

function examinedOf(one, finding) {
  return one.examined.find(({ finding: pattern }) => new RegExp(pattern).test(textOf(finding)));
}

function againstPromise({ one, result }) {
  return result.findings.filter((finding) => examinedOf(one, finding)?.promised === true);
}

function totals(results) {
  const count = (test) => results.filter(test).length;
  const findings = results.flatMap(({ result }) => result.findings);
  const against = results.flatMap(againstPromise);
  const seen = ({ kernel }) => kernel?.some(({ reproduced }) => reproduced) === true;
  const clean = count(({ result }) => result.findings.length === 0);
  const kept = count((row) => row.result.findings.length > 0 && againstPromise(row).length === 0);
  return [
    `- ${results.length} programs in ${new Set(results.map(({ one }) => one.language)).size} languages.`,
    `- Without any finding: ${clean}. With findings, but none against what its documentation says: ${kept}.`,
    `- Findings: ${findings.length}; reproduced on a real kernel: ${findings.filter(seen).length}.`,
    `- Of these against what the program's own documentation says: ${against.length}; reproduced: ${against.filter(seen).length}.`,
  ].join('\n');
}

function table(results) {
  const rows = results.map((row) => {
    const { one, result } = row;
    const beyond = result.findings.filter((finding) => examinedOf(one, finding)?.promised !== true);
    return [
      `[${one.name}](#${anchor(one)})`,
      // Of Debian the library is named last, after what it was driven with.
      Object.values(result.versions).at(one.debian === undefined ? 0 : -1),
      one.language,
      LEVELS[one.promise.level],
      summary(againstPromise(row)),
      summary(beyond),
      verdictOf(result).short,
    ];
  });
  const head = ['Program', 'Version', 'Language', 'Promised', 'Against the promise', 'Beyond it'];
  return markdownTable([[...head, 'Verdict'], ...rows]);
}

/** The models of some findings together, and where a kernel showed one of them. */
function summary(findings) {
  if (findings.length === 0) return '–';
  const models = [...new Set(findings.flatMap(({ models: names }) => names))];
  const answers = findings.flatMap(({ kernel }) => kernel ?? []);
  const seen = answers.filter(({ reproduced }) => reproduced).map(({ profile }) => profile);
  const kernel =
    seen.length > 0 ? `**reproduced** on ${[...new Set(seen)].join(', ')}` : 'not reproduced';
  return `${findings.length}: ${models.join(', ')}; ${kernel}`;
}

function verdictOf({ models, unmodelled }) {
  const cut = models.filter(({ complete }) => !complete).map(({ model }) => model);
  const reasons = [
    ...(cut.length > 0 ? [`the budget ended before all was walked under ${cut.join(', ')}`] : []),
    ...unmodelled,
  ];
  if (reasons.length === 0) return { short: 'complete', long: 'complete: every disk was decided.' };
  const names = [
    ...(cut.length > 0 ? ['budget'] : []),
    ...(unmodelled.length > 0 ? ['unmodelled'] : []),
  ];
  return {
    short: `incomplete (${names.join(', ')})`,
    long: `incomplete: ${reasons.join('; ')}.`,
  };
}

function sections(results) {
  return results.map(section).join('\n\n');
}

function section({ one, result }) {
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `### ${one.id}`,
    `${one.name}, ${versions.join(', ')}: ${one.does}.`,
    `Promised: ${one.promise.says} ([source](${one.promise.where}))`,
    `\`\`\`sh\ncd build/found/${one.id}\n${result.command}\n\`\`\``,
    markdownTable([
      ['Model', 'States allowed', 'Disks', 'Failing', ''],
      ...result.models.map(({ model, statesAllowed, disksDistinct, violations, complete }) => [
        model,
        statesAllowed === null ? 'uncounted' : round(statesAllowed),
        String(disksDistinct),
        String(violations),
        complete ? '' : 'cut',
      ]),
    ]),
    `Verdict ${verdictOf(result).long}`,
    ...(one.note === undefined ? [] : [one.note]),
    ...result.findings.map((finding, index) => findingText(one, finding, index + 1)),
  ].join('\n\n');
}

function findingText(one, finding, number) {
  const { missing, after, place, lost, shows, models, repaired, kernel } = finding;
  const examined = examinedOf(one, finding);
  const line = place === null ? '' : ` at \`${place}\``;
  const what =
    missing === null
      ? `No sync repairs it; it shows after ${code(after ?? 'the start')}${line}`
      : `Missing: ${code(missing)}, after ${code(after)}${line}`;
  const proof = { true: '; with it added nothing fails', false: '', null: '' }[String(repaired)];
  return [
    `${number}. ${what}${proof}.`,
    `   Shows: ${shows.slice(0, 3).map(code).join(', ')}${shows.length > 3 ? ` and ${shows.length - 3} more` : ''}.`,
    `   Lost in the smallest case: ${lost.slice(0, 4).map(code).join(', ') || 'nothing; the power cut comes between two calls'}${lost.length > 4 ? ` and ${lost.length - 4} more` : ''}.`,
    `   Models: ${models.join(', ')}. Kernel: ${kernelText(kernel)}.`,
    `   ${examined === undefined ? '**Not examined.**' : `${examined.promised ? '**Against the promise.**' : 'Beyond the promise.'} ${examined.why}`}`,
  ].join('\n');
}

function kernelText(kernel) {
  if (kernel === null) return 'not asked';
  if (kernel.length === 0) return 'no file system here stands for these models';
  return kernel
    .map(({ profile, disks, reproduced, instead }) => {
      const near = instead.length > 0 ? ` (for ${instead.join(', ')})` : '';
      return `${profile}${near} ${reproduced ? '**reproduced**' : `not reproduced in ${disks} disks`}`;
    })
    .join(', ');
}

const code = (text) => `\`${text.replaceAll('`', "'").replaceAll('\n', ' ').slice(0, 160)}\``;

const anchor = (one) => one.id;

function round(count) {
  return count.length <= 7 ? count : `${count[0]}.${count.slice(1, 3)}e${count.length - 1}`;
}

function markdownTable([head, ...rows]) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
