// Prints the findings of a SARIF log as the workflow commands that GitHub shows beside the lines of a change.
// Usage: node annotate.mjs FILE. See https://docs.github.com/actions/reference/workflow-commands-for-github-actions
import { readFileSync } from 'node:fs';

/** As text after `::`. */
const message = (text) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
/** As the value of a property, between `,` and `::`. */
const property = (text) => message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

const [file] = process.argv.slice(2);
const { runs } = JSON.parse(readFileSync(file, 'utf8'));
for (const { ruleId, level, message: told, locations } of runs.flatMap(({ results }) => results)) {
  const { artifactLocation, region } = locations[0].physicalLocation;
  const command = { error: 'error', warning: 'warning' }[level] ?? 'notice';
  // Only files of the repository can be annotated: others have no base.
  const place =
    artifactLocation.uriBaseId === 'SRCROOT'
      ? [`file=${property(decodeURI(artifactLocation.uri))}`]
      : [];
  if (place.length > 0 && region !== undefined) place.push(`line=${region.startLine}`);
  const properties = [...place, `title=${property(`Holdfast: ${ruleId}`)}`].join(',');
  console.log(`::${command} ${properties}::${message(told.text)}`);
}
