/**
 * A process with a store whose disk begins to fail; it is killed afterwards (`store-failed-sync.test.ts`):
 *
 *   node failing-program.js DIRECTORY SUBJECT
 *
 * It says `kept KEY` for each commit that was acknowledged, `ready` when the disk may fail, waits for a line, and says
 * `failed CODE` when a write has failed. Then it does nothing, with everything open.
 */

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import process from 'node:process';

import { errorCode } from '../../src/vfs/errno.ts';
import { FAILING_SUBJECTS, failingWrite, keepSome, openOn } from '../support/failing-writes.ts';

const [directory = '', name = ''] = process.argv.slice(2);
const subject = FAILING_SUBJECTS[name];
if (subject === undefined) throw new Error(`'${name}' is no subject`);

const say = (text: string): void => void writeSync(1, `${text}\n`);
const kept = (key: string): void => say(`kept ${key}`);

const engine = await openOn(subject, directory);
await keepSome(engine, kept);
say('ready');
await once(process.stdin, 'data');
say(`failed ${errorCode(await failingWrite(engine, kept)) ?? ''}`);
setInterval(() => undefined, 1000);
