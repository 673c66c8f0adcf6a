// The program under test: saves its settings and says so. The sync of the new file is missing.
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';

writeFileSync('state/settings.json.new', '{"theme":"dark"}');
renameSync('state/settings.json.new', 'state/settings.json');
const directory = openSync('state', 'r');
fsyncSync(directory);
closeSync(directory);
console.log('saved');
