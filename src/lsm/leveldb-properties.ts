/**
 * The properties that LevelDB has by name, in its form, for programs that read them. Figures for
 * people and JSON are `Engine.stats`.
 */

import { MIB } from '../base/units.ts';
import { kindAt, sequenceAt, userKeyOf } from './internal-key.ts';
import type { Version } from './manifest/version.ts';
import type { TableMeta } from './manifest/version-edit.ts';

const STATS_HEAD = `${' '.repeat(31)}Compactions
Level  Files Size(MB) Time(sec) Read(MB) Write(MB)
${'-'.repeat(50)}
`;
/** Of the columns of `leveldb.stats`. */
const WIDTHS = [3, 8, 8, 9, 8, 9];

/**
 * `leveldb.num-files-at-levelN`, `leveldb.stats` or `leveldb.sstables`; undefined for another name.
 * Times and traffic are not counted level by level: those columns of `leveldb.stats` are 0.
 */
export function leveldbProperty(version: Version, name: string): string | undefined {
  const { levels } = version;
  const level = /^leveldb\.num-files-at-level(\d)$/.exec(name)?.[1];
  if (level !== undefined) return levels[Number(level)]?.length.toString();
  if (name === 'leveldb.sstables') return levels.map(tablesText).join('');
  if (name !== 'leveldb.stats') return undefined;
  const rows = levels.flatMap((tables, index) => {
    const size = Math.round(version.levelBytes(index) / MIB);
    return tables.length === 0 ? [] : [statsRow([index, tables.length, size, 0, 0, 0])];
  });
  return STATS_HEAD + rows.join('');
}

function statsRow(figures: readonly number[]): string {
  return `${figures.map((figure, index) => String(figure).padStart(WIDTHS[index]!)).join(' ')}\n`;
}

/** A level and its tables: number, bytes, first and last key. */
function tablesText(tables: readonly TableMeta[], level: number): string {
  const lines = tables.map(
    ({ number, length, smallest, largest }) =>
      ` ${number}:${length}[${keyText(smallest)} .. ${keyText(largest)}]\n`,
  );
  return `--- level ${level} ---\n${lines.join('')}`;
}

function keyText(key: Uint8Array): string {
  const user = Array.from(userKeyOf(key), (byte) =>
    byte >= 0x20 && byte <= 0x7e
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `'${user.join('')}' @ ${sequenceAt(key, key.length)} : ${kindAt(key, key.length)}`;
}
