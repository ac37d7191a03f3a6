import type { Readable } from 'node:stream';
import type { Logger } from '../../core/contracts/logger.ts';

const longestLine = 500;
const linesPerMinute = 60;

/**
 * What a server's process writes to stderr, as lines of the gateway's log: cut, and so many a minute, for nobody bounds a foreign
 * program.
 */
export function logStderr(stderr: Readable, logger: Logger): void {
  let minute = 0;
  let lines = 0;
  let rest = '';
  stderr.setEncoding('utf8');
  stderr.on('data', (chunk: string) => {
    const whole = `${rest}${chunk}`.split('\n');
    rest = whole.pop()?.slice(0, longestLine) ?? '';
    for (const line of whole) write(line.trimEnd().slice(0, longestLine));
  });
  // The process is gone: what it said last is said.
  stderr.on('error', () => {});

  function write(line: string): void {
    const now = Math.floor(performance.now() / 60_000);
    if (now !== minute) {
      if (lines > linesPerMinute) logger.info({ left: lines - linesPerMinute }, 'lines of an MCP server were left out');
      minute = now;
      lines = 0;
    }
    lines += 1;
    if (line !== '' && lines <= linesPerMinute) logger.info({ line }, 'an MCP server wrote');
  }
}
