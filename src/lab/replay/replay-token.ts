/**
 * One printable word that reproduces one crash state, together with the trace it was found in:
 *
 *     hf1.MODEL.STATE.TRACE.CHECK
 *
 * STATE is the explorer's key of the state in base64url, TRACE the first 128 bits of the trace's digest, CHECK 32
 * bits of the SHA-256 of all before it, both in hex. It holds no command and no path: a token from a stranger can
 * choose a disk and nothing else. All its characters pass through a shell and a chat window unchanged.
 */

import { createHash } from 'node:crypto';
import { UsageError } from '../../base/errors.ts';

export interface ReplayToken {
  /** Name of the model, with its modifiers: `ext4+nobarrier`. */
  readonly model: string;
  /** The explorer's key of the crash state. */
  readonly state: string;
  /** The digest of the trace (`traceDigest`), or its first 32 hex digits. */
  readonly traceDigest: string;
}

const VERSION = 'hf1';
const DIGEST_DIGITS = 32;
const CHECK_DIGITS = 8;

/** A longer token is refused before anything is done with it. In characters. */
export const TOKEN_LENGTH_MAX: number = 1 << 20;

const MODEL = /^[a-z0-9][a-z0-9+-]{0,99}$/;

/**
 * REQUIRES: a model's name of lower-case letters, digits, `+` and `-`; a digest in hex.
 * @throws TypeError when one of them is not.
 */
export function encodeReplayToken(token: ReplayToken): string {
  const { model, state, traceDigest } = token;
  if (!MODEL.test(model)) throw new TypeError(`${model} cannot be the name of a model`);
  const digest = traceDigest.slice(0, DIGEST_DIGITS);
  if (!/^[0-9a-f]{32}$/.test(digest)) throw new TypeError('the digest of a trace is in hex');
  const body = `${VERSION}.${model}.${Buffer.from(state).toString('base64url')}.${digest}`;
  return `${body}.${checkOf(body)}`;
}

/**
 * Reads a token; white space around it is no matter.
 * @throws UsageError `HOLDFAST_USAGE` for what is no token, one that was cut or mistyped, or another version.
 */
export function decodeReplayToken(text: string): ReplayToken {
  const token = text.trim();
  if (token.length > TOKEN_LENGTH_MAX) throw new UsageError('the replay token is too long');
  const version = /^hf([0-9]{1,9})\./.exec(token);
  if (version === null) throw new UsageError(`${shorten(token)} is not a replay token`);
  if (version[0] !== `${VERSION}.`) {
    throw new UsageError(
      `the replay token is of version ${version[1]}, this program reads version 1`,
    );
  }
  const parts = token.split('.');
  const [, model = '', state = '', traceDigest = '', check = ''] = parts;
  const body = token.slice(0, token.lastIndexOf('.'));
  const damaged =
    parts.length !== 5 ||
    check !== checkOf(body) ||
    !MODEL.test(model) ||
    !/^[A-Za-z0-9_-]*$/.test(state) ||
    !/^[0-9a-f]{32}$/.test(traceDigest);
  if (damaged) throw new UsageError('the replay token was cut or mistyped: its checksum is wrong');
  return { model, state: Buffer.from(state, 'base64url').toString('utf8'), traceDigest };
}

/**
 * Returns when the token was made for the trace with this digest.
 * @throws UsageError `HOLDFAST_USAGE` otherwise: the program was recorded again, or it is another trace.
 */
export function requireTrace(token: ReplayToken, traceDigest: string): void {
  if (traceDigest.startsWith(token.traceDigest)) return;
  const wanted = token.traceDigest.slice(0, 12);
  const found = traceDigest.slice(0, 12);
  throw new UsageError(
    `the replay token belongs to another trace (${wanted}…, this one is ${found}…): it fits the recording ` +
      'it was found in, not a new one of the same program',
  );
}

function checkOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, CHECK_DIGITS);
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
