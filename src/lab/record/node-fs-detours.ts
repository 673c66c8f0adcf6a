/**
 * Newer Nodes do some calls of `fs` in one native job that shows none of its system calls. For these the program
 * is led to the way that Node took before: the same calls, one by one. Nothing here runs on Node 20.
 */

import fs from 'node:fs';

type Options = Record<string, unknown>;
type AnyFunction = (...args: unknown[]) => unknown;

function optionsOf(value: unknown): Options {
  if (typeof value === 'string') return { encoding: value };
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isData(value: unknown): boolean {
  return typeof value === 'string' || ArrayBuffer.isView(value);
}

/** Replaces a function of a module object that also ES modules get, keeping its name and properties. */
function replace(owner: object, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  const replacement = make(original as AnyFunction);
  Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original));
  Reflect.set(owner, name, replacement);
}

/** Installs what this Node needs, judged by the jobs that its binding has. */
export function installDetours(binding: Readonly<Record<string, unknown>>): void {
  if ('cpSyncCopyDir' in binding) replace(fs, 'cpSync', stepwiseCopy);
  if ('CpDirJob' in binding) {
    replace(fs, 'cp', stepwiseCopy);
    replace(fs.promises, 'cp', stepwiseCopy);
  }
  if ('WriteFileJob' in binding) {
    replace(fs, 'writeFile', stepwiseWriteFile);
    replace(fs.promises, 'writeFile', (original) => stepwisePromise(original, 'w'));
    replace(fs.promises, 'appendFile', (original) => stepwisePromise(original, 'a'));
  }
}

/** With a filter, Node copies entry by entry. */
function stepwiseCopy(original: AnyFunction): AnyFunction {
  return function copy(this: unknown, source: unknown, target: unknown, ...rest: unknown[]) {
    const callback = rest.find((value) => typeof value === 'function');
    const given = typeof rest[0] === 'function' ? {} : optionsOf(rest[0]);
    const options = { ...given, filter: given['filter'] ?? ((): boolean => true) };
    const args = callback === undefined ? [options] : [options, callback];
    return Reflect.apply(original, this, [source, target, ...args]);
  };
}

function stepwiseWriteFile(original: AnyFunction): AnyFunction {
  return function writeFile(this: unknown, path: unknown, data: unknown, ...rest: unknown[]) {
    const callback = rest.at(-1);
    const options = typeof rest[0] === 'function' ? {} : optionsOf(rest[0]);
    // A descriptor, a wish to flush, or arguments that it will refuse: Node's own way shows all calls.
    if (
      typeof path === 'number' ||
      options['flush'] === true ||
      typeof callback !== 'function' ||
      !isData(data)
    ) {
      return Reflect.apply(original, this, [path, data, ...rest]);
    }
    const done = callback as AnyFunction;
    const flag = (options['flag'] ?? 'w') as string;
    const mode = (options['mode'] ?? 0o666) as number;
    fs.open(path as string, flag, mode, (openError, fd) => {
      if (openError !== null) {
        done(openError);
        return;
      }
      Reflect.apply(original, fs, [
        fd,
        data,
        options,
        (writeError: unknown) => fs.close(fd, (closeError) => done(writeError ?? closeError)),
      ]);
    });
    return undefined;
  };
}

function stepwisePromise(original: AnyFunction, defaultFlag: string): AnyFunction {
  return async function writeFile(this: unknown, path: unknown, data: unknown, given: unknown) {
    const options = optionsOf(given);
    const isPath = typeof path === 'string' || ArrayBuffer.isView(path) || path instanceof URL;
    if (!isPath || options['flush'] === true || !isData(data)) {
      return await Reflect.apply(original, this, [path, data, given]);
    }
    const flag = (options['flag'] ?? defaultFlag) as string;
    const handle = await fs.promises.open(path as string, flag, options['mode'] as number);
    try {
      const { encoding, signal } = options as { encoding?: BufferEncoding; signal?: AbortSignal };
      const how = {
        ...(encoding == null ? {} : { encoding }),
        ...(signal == null ? {} : { signal }),
      };
      await handle.writeFile(data as string, how);
    } finally {
      await handle.close();
    }
    return undefined;
  };
}
