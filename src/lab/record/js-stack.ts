/**
 * The call stack of JavaScript code at a call, as frames of the program: without Node's own modules and without
 * the recorder. Across `await` as far as V8 knows it.
 */

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { StackFrame } from './operation.ts';
import { sourcePlace } from './source-place.ts';

/** Frames kept of one stack. */
const FRAMES_MAX = 16;

/** Frames asked of V8: the program's are below those of Node and of the recorder. */
const FRAMES_ASKED = 40;

const RECORDER_DIRECTORY = dirname(fileURLToPath(import.meta.url));

/** Wrappers of `vfs` through which a recorded call came; they are no part of the program either. */
const WRAPPER = /[\\/]vfs[\\/]forwarding-(?:vfs|handle)\.[jt]s$/;

/** The program's frames, innermost first; empty when only Node itself is on the stack. */
export function captureStack(): readonly StackFrame[] {
  const { stackTraceLimit } = Error;
  const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');
  const holder: { stack?: unknown } = {};
  let sites: unknown;
  Error.stackTraceLimit = FRAMES_ASKED;
  Error.prepareStackTrace = (_, callSites) => callSites;
  try {
    Error.captureStackTrace(holder, captureStack);
    // The stack is made when it is read, with the function that is there then.
    sites = holder.stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
  }
  if (!Array.isArray(sites)) return [];
  return programFrames(sites as NodeJS.CallSite[], prepareStackTrace);
}

function programFrames(sites: readonly NodeJS.CallSite[], prepare: unknown): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const site of sites) {
    const file = fileOf(site);
    if (file === null) continue;
    const name = site.getFunctionName() ?? '(anonymous)';
    frames.push({ function: name, ...sourcePlace(site, file, prepare) });
    if (frames.length === FRAMES_MAX) break;
  }
  return frames;
}

/** The path of a frame's file, or null for frames that are not the program's. */
function fileOf(site: NodeJS.CallSite): string | null {
  const name = site.getFileName() ?? null;
  if (name === null || name.startsWith('node:')) return null;
  const file = name.startsWith('file:') ? fileURLToPath(name) : name;
  return dirname(file) === RECORDER_DIRECTORY || WRAPPER.test(file) ? null : file;
}
