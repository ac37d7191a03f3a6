import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';

/*
 * V8 settles at a WASM function's first call whether it may be optimised one day; `--wasm-tier-up-filter` names the only one that
 * may. The flag is the whole process's: load other WASM (the embedding model) when no database is being opened.
 */

/** Of no function that a module defines: a module's functions are numbered after those that it imports. */
const noFunction = 0;
const everyFunction = -1;

/** What is called for the first time until this is disposed of runs a few times slower for ever, and costs no compiling. */
export function optimiseNothing(): Disposable {
  setFlagsFromString(`--wasm-tier-up-filter=${noFunction}`);
  return { [Symbol.dispose]: () => setFlagsFromString(`--wasm-tier-up-filter=${everyFunction}`) };
}

/**
 * Keeps PostgreSQL's SQL parser as it is in the next instance, whose first statement is the first to be parsed. V8 would spend
 * 600 MB and most of a second on that one function of 100 KB soon after the start, more memory than all else in the process
 * takes together, to save microseconds a statement.
 */
export function keepParserPlain(): void {
  const run = PGlite.prototype.execProtocolRawSync;
  PGlite.prototype.execProtocolRawSync = function (message) {
    PGlite.prototype.execProtocolRawSync = run;
    using _first = optimiseNothing();
    return run.call(this, message);
  };
}
