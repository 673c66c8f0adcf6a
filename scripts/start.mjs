/** `npm start`: shows the main job on real programs. For now it shows what the command line offers. */

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const { status } = spawnSync(process.execPath, [main, '--help'], { stdio: 'inherit' });
process.exit(status ?? 1);
