/**
 * Operations and initial inodes out of parsed JSON, field by field: what is not known is refused, and nothing of
 * the input's own objects is kept.
 */

import { unreachable } from '../../base/assert.ts';
import type { InitialInode, NodeKind, Operation } from './operation.ts';
import { isEntryName } from './shadow-tree.ts';
import {
  arrayOf,
  fieldsOf,
  integerOf,
  oneOf,
  stringOf,
  WrongShape,
  type Fields,
} from './trace-shape.ts';

const NODE_KINDS: readonly NodeKind[] = ['file', 'directory', 'symlink'];

const OPERATION_KINDS: readonly Operation['kind'][] = [
  'create',
  'link',
  'unlink',
  'rename',
  'write',
  'truncate',
  'allocate',
  'attribute',
  'sync',
  'writeback',
  'sync-all',
  'close',
  'mark',
  'unmodelled',
];

/** No file system that is modelled has longer names. */
const NAME_LENGTH_MAX = 255;

/** A name that may be made in a directory: never a path, never '..', so that no export can leave its place. */
function nameOf(value: unknown, name: string): string {
  const text = stringOf(value, name);
  if (text.length > NAME_LENGTH_MAX) {
    const start = JSON.stringify(text.slice(0, 20));
    throw new WrongShape(
      `${name} ${start}… of ${text.length} characters is longer than a name can be`,
    );
  }
  if (!isEntryName(text))
    throw new WrongShape(`${name} cannot be a file's name: ${JSON.stringify(text)}`);
  return text;
}

/** The text of a link: anything but nothing, and no NUL. */
function targetOf(value: unknown): string {
  const text = stringOf(value, 'target');
  if (text === '' || text.includes('\0')) throw new WrongShape('target cannot be a link');
  return text;
}

export function initialInodeOf(value: unknown): InitialInode {
  const fields = fieldsOf(value, 'initial');
  const inode = integerOf(fields['inode'], 'inode');
  const node = oneOf(fields['node'], NODE_KINDS, 'node');
  if (node === 'symlink') return { inode, node, target: targetOf(fields['target']) };
  const mode = integerOf(fields['mode'], 'mode');
  if (node === 'file')
    return { inode, node, mode, content: stringOf(fields['content'], 'content') };
  const entries = arrayOf(fields['entries'], 'entries').map((entry) => {
    const [name, child] = arrayOf(entry, 'entry');
    return [nameOf(name, 'entry'), integerOf(child, 'entry')] as const;
  });
  return { inode, node, mode, entries };
}

/** @throws WrongShape */
export function operationOf(value: unknown): Operation {
  const fields = fieldsOf(value, 'operation');
  const end = fields['end'];
  const stack = fields['stack'];
  const common = {
    start: integerOf(fields['start'], 'start'),
    end: end === null ? null : integerOf(end, 'end'),
    thread: integerOf(fields['thread'], 'thread'),
    stack: stack === -1 ? -1 : integerOf(stack, 'stack'),
    path: stringOf(fields['path'], 'path'),
    ...('error' in fields ? { error: stringOf(fields['error'], 'error') } : {}),
  };
  return { ...common, ...detailsOf(fields) };
}

type Details = Operation extends infer One
  ? One extends Operation
    ? Omit<One, 'start' | 'end' | 'thread' | 'stack' | 'path' | 'error'>
    : never
  : never;

function detailsOf(fields: Fields): Details {
  const kind = oneOf(fields['kind'], OPERATION_KINDS, 'kind');
  switch (kind) {
    case 'create':
    case 'link':
    case 'unlink':
    case 'rename':
      return nameDetailsOf(kind, fields);
    case 'write':
    case 'truncate':
    case 'allocate':
    case 'attribute':
    case 'sync':
    case 'writeback':
    case 'close':
      return fileDetailsOf(kind, fields);
    case 'sync-all':
      return { kind };
    case 'mark': {
      const source = oneOf(fields['source'], ['mark', 'stdout', 'exit'], 'source');
      return { kind, source, text: stringOf(fields['text'], 'text') };
    }
    case 'unmodelled':
      return { kind, what: stringOf(fields['what'], 'what') };
    default:
      return unreachable(kind);
  }
}

function nameDetailsOf(kind: 'create' | 'link' | 'unlink' | 'rename', fields: Fields): Details {
  const inode = integerOf(fields['inode'], 'inode');
  if (kind === 'rename') {
    const replaced = fields['replaced'];
    return {
      kind,
      fromDirectory: integerOf(fields['fromDirectory'], 'fromDirectory'),
      fromName: nameOf(fields['fromName'], 'fromName'),
      toDirectory: integerOf(fields['toDirectory'], 'toDirectory'),
      toName: nameOf(fields['toName'], 'toName'),
      inode,
      replaced: replaced === null ? null : integerOf(replaced, 'replaced'),
      ...(fields['exchange'] === true ? { exchange: true } : {}),
    };
  }
  const directory = integerOf(fields['directory'], 'directory');
  if (kind !== 'create') return { kind, directory, name: nameOf(fields['name'], 'name'), inode };
  const name = fields['name'];
  const node = oneOf(fields['node'], NODE_KINDS, 'node');
  return {
    kind,
    directory,
    name: name === null ? null : nameOf(name, 'name'),
    inode,
    node,
    mode: integerOf(fields['mode'], 'mode'),
    ...(node === 'symlink' ? { target: targetOf(fields['target']) } : {}),
  };
}

function fileDetailsOf(
  kind: 'write' | 'truncate' | 'allocate' | 'attribute' | 'sync' | 'writeback' | 'close',
  fields: Fields,
): Details {
  const inode = integerOf(fields['inode'], 'inode');
  switch (kind) {
    case 'write':
      return {
        kind,
        inode,
        offset: integerOf(fields['offset'], 'offset'),
        length: integerOf(fields['length'], 'length'),
        content: stringOf(fields['content'], 'content'),
        durable: oneOf(fields['durable'], ['none', 'data', 'all'], 'durable'),
        ...('asked' in fields ? { asked: integerOf(fields['asked'], 'asked') } : {}),
        ...(fields['append'] === true ? { append: true } : {}),
      };
    case 'truncate':
      return { kind, inode, size: integerOf(fields['size'], 'size') };
    case 'allocate':
      return {
        kind,
        inode,
        offset: integerOf(fields['offset'], 'offset'),
        length: integerOf(fields['length'], 'length'),
        mode: oneOf(fields['mode'], ['extend', 'keep-size', 'punch-hole', 'zero-range'], 'mode'),
      };
    case 'attribute': {
      const field = stringOf(fields['field'], 'field');
      return { kind, inode, field, value: stringOf(fields['value'], 'value') };
    }
    case 'sync':
      return { kind, inode, scope: oneOf(fields['scope'], ['all', 'data'], 'scope') };
    case 'writeback':
      return {
        kind,
        inode,
        offset: integerOf(fields['offset'], 'offset'),
        length: integerOf(fields['length'], 'length'),
      };
    case 'close':
      return { kind, inode };
  }
}
