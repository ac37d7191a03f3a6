import { createHash } from 'node:crypto';

const longest = 64;

/**
 * `server__tool`, in the letters that every provider takes ([A-Za-z0-9_-], at most 64). What does not fit is replaced and cut, and gets a
 * mark of its own name, so that two tools never become one.
 */
export function toolName(server: string, tool: string): string {
  const whole = `${server}__${tool}`;
  const fitting = whole.replace(/[^A-Za-z0-9_-]/g, '_');
  if (fitting === whole && whole.length <= longest) return whole;
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, 8);
  return `${fitting.slice(0, longest - mark.length - 1)}_${mark}`;
}
