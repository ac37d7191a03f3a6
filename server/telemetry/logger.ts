import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger } from '../../core/contracts/logger.ts';
import { createLogValues, type LogValues } from './log-values.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Standard output when left out. */
  readonly stream?: DestinationStream;
  /** Configured keys, passwords and connection URLs: none of them appears in any line, wherever it was put. */
  readonly secrets?: readonly string[];
}

/**
 * One JSON object a line: level, time, the fields, msg. Everything is cleaned before pino sees it rather than by pino's
 * `redact`, which knows paths only: a secret in the middle of an error's message has none.
 */
export function createLogger({ level, stream, secrets = [] }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(stream ? pino(options, stream) : pino(options), createLogValues(secrets));
}

function wrap(target: PinoLogger, values: LogValues): Logger {
  const writer = (level: Exclude<LogLevel, 'silent'>) => (fields: LogFields, message: string) => {
    if (target.isLevelEnabled(level)) target[level](own(values.fields(fields)), values.text(message));
  };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (fields) => wrap(target.child(own(values.fields(fields))), values),
  };
}

/** Fields named like pino's own would stand twice in the line, and the second one wins in a parser. */
function own(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name of ['level', 'time', 'msg']) {
    if (name in fields) {
      fields[`_${name}`] = fields[name];
      delete fields[name];
    }
  }
  return fields;
}
