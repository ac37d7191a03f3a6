/** Named values of a log line. Secrets and texts of people are taken out by the implementation, errors serialised. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log. `message` is a constant sentence; what varies goes into `fields`, an error under the name `error`.
 * A call never throws and never waits.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose every line has these fields too. */
  child(fields: LogFields): Logger;
}
