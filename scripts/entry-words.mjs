/**
 * What the programs of `npm run` say of their words: `--help` shows the comment that the program begins with, and
 * wrong use is one line and exit code 2. Loaded before the program (`node --import`), which reads its words with
 * `parseArgs` of `node:util`.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const program = process.argv[1] ?? '';

/** Ends the program. */
export function wrongUse(message) {
  console.error(`${basename(program).replace(/\.m?js$/, '')}: ${message}`);
  process.exit(2);
}

function help() {
  const text = readFileSync(program, 'utf8');
  const [comment = ''] = /^(?:\/\*\*[^]*?\*\/|(?:\/\/.*\n)+)/.exec(text) ?? [];
  return comment.replaceAll(/^(?:\/\*\*| \*\/| \*|\/\/) ?/gm, '').trim();
}

/** Asked for here alone: not by the processes that the program starts, elsewhere and with words of their own. */
function leaveOut() {
  const at = process.execArgv.findIndex((word) => word.endsWith('entry-words.mjs'));
  if (at > 0) process.execArgv.splice(at - 1, 2);
  return at > 0;
}

if (isMainThread && leaveOut()) {
  process.on('uncaughtException', (error) => {
    if (error?.code?.startsWith('ERR_PARSE_ARGS_')) {
      const [sentence = ''] = error.message.split(/\. |\n/);
      const words = `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
      wrongUse(`${words} (--help says what there is)`);
    }
    console.error(error);
    process.exit(1);
  });
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    console.log(help());
    process.exit(0);
  }
}
