// A journal of amounts, written against the Vfs of `holdfast/vfs`: one line each, durable when `add` returns.

import { writeFullySync } from 'holdfast/vfs';

/** Adds one line. */
export function add(vfs, amount) {
  const file = vfs.openSync('/journal', { write: true, create: true });
  try {
    const line = new TextEncoder().encode(`${amount}\n`);
    writeFullySync(file, line, file.statSync().size);
    file.syncSync();
  } finally {
    file.closeSync();
  }
  syncRoot(vfs);
}

/** What a crash left of the last line goes, and what is left is durable before it is used. */
export function recover(vfs) {
  if (!vfs.readDirectorySync('/').some(({ name }) => name === 'journal')) return;
  const file = vfs.openSync('/journal', { read: true, write: true });
  try {
    const end = wholeLines(readAll(file)).length;
    if (end < file.statSync().size) file.truncateSync(end);
    file.syncSync();
  } finally {
    file.closeSync();
  }
}

/** The amounts, in order. */
export function list(vfs) {
  if (!vfs.readDirectorySync('/').some(({ name }) => name === 'journal')) return [];
  const file = vfs.openSync('/journal', { read: true });
  try {
    return readAll(file).split('\n').slice(0, -1);
  } finally {
    file.closeSync();
  }
}

function wholeLines(text) {
  return /^(?:\d+\n)*/.exec(text)[0];
}

function readAll(file) {
  const { size } = file.statSync();
  const bytes = new Uint8Array(size);
  file.readSync(bytes, 0, size, 0);
  return new TextDecoder('latin1').decode(bytes);
}

function syncRoot(vfs) {
  const directory = vfs.openDirectorySync('/');
  try {
    directory.syncSync();
  } finally {
    directory.closeSync();
  }
}
