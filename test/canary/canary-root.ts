/** What a canary program finds when it starts, and the check of the one that the built-in oracle cannot judge. */

import type { Checker } from '../../src/lab/check/checker.ts';

/** The files of its directory, by name. */
export const CANARY_FILES: Readonly<Record<string, string>> = {
  'settings.json': '{"version":1,"theme":"light"}',
  'data.bin': 'record-1;',
  'index.txt': '0 9\n',
};

/** Every line of index.txt names the offset and length of a record that ends in `;`. */
export const indexPointsToRecords: Checker = {
  name: 'index points to records',
  check({ root }) {
    const text = (name: string): string => {
      const file = root.entries.get(name);
      return file?.kind === 'file' ? Buffer.from(file.content).toString('latin1') : '';
    };
    for (const line of text('index.txt').split('\n')) {
      if (!/^\d+ \d+$/.test(line)) continue;
      const [offset = 0, length = 0] = line.split(' ').map(Number);
      const record = text('data.bin').slice(offset, offset + length);
      if (!/^record-\d;$/.test(record)) return { ok: false, message: `no record at ${line}` };
    }
    return { ok: true };
  },
};
