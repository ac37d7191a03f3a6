import { setFlagsFromString } from 'node:v8';

const flag = '--max-semi-space-size';

/**
 * A thread that begins before what is returned is called has 3 MB for its new objects. The database's makes few of them, but with each answer memory
 * beside the heap. V8 counts that memory and, as long as new objects leave room, gives it back only by collecting the whole heap: for
 * 15 ms after every fifty pages of recommendations, in which all statements waited. With little room new objects alone are collected, in
 * half a millisecond.
 *
 * By the flag, which is the whole process's: a gateway has one (bin/sluice.js), and a thread's `resourceLimits` yield to it.
 */
export function smallNewSpace(): () => void {
  setFlagsFromString(`${flag}=1`);
  const own = process.execArgv.find((argument) => argument.startsWith(`${flag}=`));
  return () => setFlagsFromString(own ?? `${flag}=0`);
}
