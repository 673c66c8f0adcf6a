/**
 * The functions beneath `node:fs`: every call of `fs`, `fs/promises`, file handles and streams ends in one of
 * them, one for each system call, so this is the one place where all of them can be seen. Node has no public
 * name for it; `process.binding('fs')` is deprecated but there from Node 20 to 26 at least, and a Node without it
 * is refused. This module knows how such functions are called, not what they mean.
 */

import { UsageError } from '../../base/errors.ts';

export type NativeFunction = (this: unknown, ...args: unknown[]) => unknown;

/** A callback request: Node sets `oncomplete` before the call. */
export interface Request {
  oncomplete: NativeFunction;
}

export interface FsBinding {
  readonly functions: Record<string, unknown>;
  readonly promiseMark: unknown;
  readonly requestClass: new () => Request;
  readonly handlePrototype: Record<string, unknown>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isNative(value: unknown): value is NativeFunction {
  return typeof value === 'function';
}

/** Node's internal module of that name, or undefined. */
export function nodeBinding(name: string): Record<string, unknown> | undefined {
  const binding: unknown = Reflect.get(process, 'binding');
  if (!isNative(binding)) return undefined;
  const { noDeprecation } = process;
  // The program would be told of a deprecated call that is not its own.
  Reflect.set(process, 'noDeprecation', true);
  try {
    const found = Reflect.apply(binding, process, [name]);
    return isRecord(found) ? found : undefined;
  } catch {
    // "No such module": the caller says what that means.
    return undefined;
  } finally {
    Reflect.set(process, 'noDeprecation', noDeprecation);
  }
}

/** @throws UsageError (`HOLDFAST_USAGE`) when this Node does not let its file calls be seen */
export function fsBinding(): FsBinding {
  const functions = nodeBinding('fs');
  const promiseMark = functions?.['kUsePromises'];
  const requestClass = functions?.['FSReqCallback'];
  const handleClass = functions?.['FileHandle'];
  const prototype = isNative(handleClass) ? handleClass.prototype : undefined;
  if (functions === undefined || !isNative(requestClass) || !isRecord(prototype)) {
    throw new UsageError(
      `Node ${process.version} does not let its file system calls be seen; use Node 20 to 26`,
    );
  }
  return {
    functions,
    promiseMark,
    requestClass: requestClass as unknown as new () => Request,
    handlePrototype: prototype,
  };
}

/** What a wrapped call tells of itself. */
export interface CallObserver<Ticket> {
  /** Before the call; null: not interesting, call through. */
  before(args: readonly unknown[], self: unknown, blocking: boolean): Ticket | null;
  after(ticket: Ticket, outcome: { readonly value: unknown } | { readonly error: string }): void;
  /** Runs a callback of the program so that calls in it can be traced back to this one. */
  within(ticket: Ticket, run: () => unknown): unknown;
}

/** Puts an observer around one function of the binding, whichever of its three forms a call uses. */
export function wrapNative<Ticket>(
  owner: Record<string, unknown>,
  name: string,
  binding: FsBinding,
  observer: CallObserver<Ticket>,
): void {
  const original = owner[name];
  if (!isNative(original)) return;
  const wrapped: NativeFunction = function wrapped(this: unknown, ...args: unknown[]) {
    const request = args.find((arg): arg is Request => arg instanceof binding.requestClass);
    const promised = args.includes(binding.promiseMark) || owner === binding.handlePrototype;
    const blocking = request === undefined && !promised;
    const ticket = observer.before(args, this, blocking);
    if (ticket === null) return Reflect.apply(original, this, args);
    if (request !== undefined) watchRequest(request, ticket, observer);
    let result: unknown;
    try {
      result = Reflect.apply(original, this, args);
    } catch (error) {
      // Passed on unchanged: only told.
      observer.after(ticket, { error: codeOf(error) });
      throw error;
    }
    if (blocking) {
      const failure = contextError(args);
      observer.after(ticket, failure === null ? { value: result } : { error: failure });
    } else if (result instanceof Promise) {
      // Registered before the program's own reaction, so the end is told before the program goes on.
      result.then(
        (value: unknown) => observer.after(ticket, { value }),
        (error: unknown) => observer.after(ticket, { error: codeOf(error) }),
      );
    }
    return result;
  };
  Object.defineProperty(wrapped, 'name', { value: name });
  owner[name] = wrapped;
}

function watchRequest<Ticket>(
  request: Request,
  ticket: Ticket,
  observer: CallObserver<Ticket>,
): void {
  const { oncomplete } = request;
  request.oncomplete = function complete(this: unknown, ...results: unknown[]) {
    const [error, value] = results;
    if (error == null) observer.after(ticket, { value });
    else observer.after(ticket, { error: codeOf(error) });
    return observer.within(ticket, () => Reflect.apply(oncomplete, this, results));
  };
}

/** Some blocking calls of Node 20 put their error into a last argument instead of throwing it. */
function contextError(args: readonly unknown[]): string | null {
  const last = args.at(-1);
  if (!isRecord(last) || ArrayBuffer.isView(last) || !('code' in last)) return null;
  return typeof last['code'] === 'string' ? last['code'] : null;
}

/** The error code of anything thrown. */
export function codeOf(error: unknown): string {
  const code = isRecord(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : 'UNKNOWN';
}
