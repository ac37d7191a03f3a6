import type { IncomingHttpHeaders } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { Dispatcher } from 'undici';

/** Who reads a body: whole characters as they come, and then one of the two ends. */
export interface BodyReader {
  text(text: string): void;
  ended(): void;
  broke(error: Error): void;
}

/** A reply whose status and headers are there; its body may still be on its way. */
export class IncomingReply {
  readonly status: number;
  readonly #decoder = new StringDecoder('utf8');
  readonly #controller: Dispatcher.DispatchController;
  readonly #headers: IncomingHttpHeaders;
  #reader: BodyReader | null = null;
  /** What came before anybody read: no more than the packet that the headers came in, where it is read at once. */
  #early = '';
  #end: 'open' | 'whole' | Error = 'open';

  constructor(status: number, headers: IncomingHttpHeaders, controller: Dispatcher.DispatchController) {
    this.status = status;
    this.#headers = headers;
    this.#controller = controller;
  }

  /** The first value of a header, its name in small letters; null when it was not sent. */
  get(name: string): string | null {
    const value = this.#headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  }

  headers(): Headers {
    const headers = new Headers();
    for (const [name, values] of Object.entries(this.#headers)) {
      for (const value of [values ?? []].flat()) headers.append(name, value);
    }
    return headers;
  }

  /** Nothing comes any more: the body is whole, or broken. */
  get over(): boolean {
    return this.#end !== 'open';
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    const early = this.#early;
    this.#early = '';
    if (early !== '') reader.text(early);
    this.#tellEnd();
  }

  text(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let whole = '';
    this.read({
      text: (text) => {
        whole += text;
      },
      ended: () => resolve(whole),
      broke: reject,
    });
    return promise;
  }

  get paused(): boolean {
    return this.#controller.paused;
  }

  pause(): void {
    this.#controller.pause();
  }

  resume(): void {
    this.#controller.resume();
  }

  /** Closes the connection unless the reply is over. Its reader hears of it as of every break. */
  destroy(): void {
    if (!this.over) this.#controller.abort(new DOMException('The reply was left before its end.', 'AbortError'));
  }

  /** For the connection: bytes of the body. */
  feed(bytes: Buffer): void {
    this.#tell(this.#decoder.write(bytes));
  }

  /** For the connection: the body is over, by an error when there is one. */
  close(error: Error | null): void {
    if (this.over) return;
    if (error === null) this.#tell(this.#decoder.end());
    this.#end = error ?? 'whole';
    this.#tellEnd();
  }

  #tell(text: string): void {
    if (text === '') return;
    if (this.#reader === null) this.#early += text;
    else this.#reader.text(text);
  }

  /** The reader is let go: a reply is held by what waited for it, which may be in memory for long after. */
  #tellEnd(): void {
    const reader = this.#reader;
    if (reader === null || this.#end === 'open') return;
    this.#reader = null;
    if (this.#end === 'whole') reader.ended();
    else reader.broke(this.#end);
  }
}
