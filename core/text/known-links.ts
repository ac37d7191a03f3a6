import { canonicalUrl, comparable, hostOf, linkDestinations, prefixesOf, urlRuns, withoutTrailing } from './urls.ts';

/** An image is loaded without anybody's click: of what it may point at, less is believed. */
export type LinkKind = 'link' | 'image';

const maxKnown = 20_000;

/**
 * Which links a run's answer may carry. What the operator and the app wrote names hosts; what the user wrote names hosts to click on;
 * what came from outside — documents, results of tools — names only the very addresses that stand in it: an author who could name a
 * host could have a secret written behind it.
 */
export class KnownLinks {
  readonly #exact = new Set<string>();
  /** Relative and unusual destinations, as they were written. */
  readonly #written = new Set<string>();
  readonly #hosts = new Map<string, LinkKind>();

  /** The system prompt: whole hosts, for images too. */
  trust(text: string): void {
    this.#nameHosts(text, 'image');
  }

  /** What the user wrote: whole hosts, to click on. */
  ask(text: string): void {
    this.#nameHosts(text, 'link');
  }

  /** A text from outside, or an address that stands beside it. */
  know(text: string): void {
    this.#add(text, () => true);
  }

  /**
   * The result of a tool. An address that the model itself handed to the tool is no new one because the tool says it again, whole or
   * its beginning, or any tool that repeats its input would make every link good.
   */
  knowResult(args: string, value: string): void {
    const given = givenTexts(args);
    const whole = comparable([given, ...urlRuns(given).flatMap(prefixesOf).map(canonicalUrl)].join('\n'));
    this.#add(
      value,
      (address) => ![address, canonicalUrl(address)].some((spelling) => whole.includes(comparable(bare(spelling)))),
    );
  }

  allows(destination: string, kind: LinkKind): boolean {
    if (destination === '' || /^#[\w.:%-]*$/.test(destination)) return true;
    if (this.#written.has(destination)) return true;
    // Markdown and HTML decode both: what is meant would not be what is compared.
    if (/&[#\w]+;/.test(destination.replaceAll('&amp;', '&')) || destination.includes('\\')) return false;
    const plain = destination.replaceAll('&amp;', '&');
    if (this.#exact.has(canonicalUrl(plain))) return true;
    const host = hostOf(plain);
    const named = host === null ? undefined : this.#hosts.get(host);
    return named !== undefined && (named === 'image' || kind === 'link');
  }

  #add(text: string, isNew: (address: string) => boolean): void {
    for (const address of urlRuns(text).flatMap(prefixesOf)) {
      if (this.#exact.size < maxKnown && isNew(address)) this.#exact.add(canonicalUrl(address));
    }
    for (const destination of linkDestinations(text)) {
      if (this.#written.size < maxKnown && isNew(destination)) this.#written.add(destination);
    }
  }

  #nameHosts(text: string, kind: LinkKind): void {
    this.know(text);
    const named = [...urlRuns(text).map(withoutTrailing).map(hostOf), ...hostsNamed(text).map(hostOf)];
    for (const host of named) {
      if (host === null || this.#hosts.size >= maxKnown) continue;
      if (this.#hosts.get(host) !== 'image') this.#hosts.set(host, kind);
    }
  }
}

/** Without what need not be written for the address to lead to the same place. */
const bare = (address: string): string => address.replace(/^mailto:|^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:www\.)?|\/+$/gi, '');

/** What stands in arguments, as the model wrote them and as the tool reads them. */
function givenTexts(args: string): string {
  const texts = [args];
  try {
    // Called for every name and value, the innermost first.
    JSON.parse(args, (name, value: unknown) => {
      texts.push(name);
      if (typeof value === 'string') texts.push(value);
    });
  } catch {
    // They are no JSON: then no tool has read them.
  }
  return texts.join('\n');
}

const maxWords = 1_000;
const hostName = /^(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}(?=\/|$)/i;
/** README.md is a file to whoever writes it alone, and a host to whoever has bought it. */
const fileName = /\.(?:cc|md|mov|pl|ps|py|rs|sh|so|zip)$/i;

/** People write `example.org`, and mean the place. */
function hostsNamed(text: string): string[] {
  const words = text.split(/[\s<>()[\]"'`,;]+/).filter((word) => word.includes('.') && word.length <= 255);
  const names = words.slice(0, maxWords).map((word) => word.replace(/[.:?!]+$/, ''));
  return names.flatMap((name) => {
    const host = hostName.exec(name)?.[0] ?? null;
    return host === null || (host === name && fileName.test(name)) ? [] : host;
  });
}
