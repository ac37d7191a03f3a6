import type { Json } from '../contracts/filter.ts';
import { CodeState } from './code-state.ts';
import type { KnownLinks, LinkKind } from './known-links.ts';
import { type DestinationReading, readAutolinkOrTag, readDestination, readEntity } from './link-syntax.ts';
import { OpenImages } from './open-images.ts';
import { mayLeave, prefixesOf, urlEnd, withoutTrailing } from './urls.ts';

/** Stands where a link was, after the brackets of one with a space, so that no reader takes it for a destination. */
export const removedLink = '(link removed)';

export interface LinkGuard {
  /** The part of the text that is decided, without foreign links. */
  push(delta: string): string;
  /** What was still held back. */
  end(): string;
}

/** Longer than every real address; what is longer is dropped to its end. */
const maxUrl = 4_096;
/** Where a bare address ends for somebody: for a reader that makes no links of bare ones, an image can begin within it. */
const runEnd = new RegExp(`${urlEnd.source}|!\\[|\\]\\(`);

/**
 * Takes out of a model's text, while it streams, the links and images that nobody gave it: see KnownLinks. Absolute addresses are
 * looked for everywhere, in code too, since not every page knows what is code; relative destinations, and tags of HTML with addresses,
 * outside of code. Text is held back only while it may be a link, and the result does not depend on how it was cut into deltas.
 */
export function createLinkGuard(links: KnownLinks): LinkGuard {
  const code = new CodeState();
  const images = new OpenImages();
  let pending = '';
  /** The last characters that were passed on, as the model wrote them. */
  let before = '';
  /** Within an address that is being dropped. */
  let dropping = false;

  return {
    push(delta) {
      pending += delta;
      return advance(false);
    },
    end: () => advance(true),
  };

  function advance(isEnd: boolean): string {
    let out = '';
    while (pending !== '') {
      const step = dropping ? drop() : next(isEnd);
      if (step === null) break;
      out += step;
    }
    return out;
  }

  /** Passes on `length` characters, or what stands for them. */
  function take(length: number, instead?: string): string {
    const taken = pending.slice(0, length);
    pending = pending.slice(length);
    code.see(taken);
    images.see(taken);
    before = (before + taken).slice(-64);
    return instead ?? taken;
  }

  /** Null: more text is needed. */
  function next(isEnd: boolean): string | null {
    const plain = /^(?:[^hw:[\]<&\\]|(?<=[a-z0-9])[hw])+/i.exec(pending)?.[0].length ?? 0;
    if (plain > 0) return take(plain);
    switch (pending.charAt(0)) {
      case '[': {
        // The mark of a citation stays in one piece, which whoever shows it can wait for.
        const [mark = ''] = /^\[\d{0,4}\]?/.exec(pending) ?? [];
        if (mark.length === pending.length && !isEnd) return null;
        if (mark.endsWith(']') && mark !== '[]' && !/[(:]/.test(pending.charAt(mark.length))) return take(mark.length);
        return take(1);
      }
      case ']':
        return closing(isEnd);
      case '<':
        return angle(isEnd);
      case '&':
      case '\\':
        return decoded(isEnd);
      case ':':
        return scheme(isEnd);
      default:
        return word(isEnd);
    }
  }

  /** `http`, `https` and `www.` at the beginning of a word; of other schemes only the colon tells. */
  function word(isEnd: boolean): string | null {
    if (/[a-z0-9]$/i.test(before)) return take(1);
    if (/^(?:https?:\/\/|www\.)/i.test(pending)) return address(isEnd);
    const beginning = /^(?:h(?:t(?:t(?:p(?:s?(?::\/?)?)?)?)?)?|w(?:ww?)?)$/i.test(pending);
    return beginning && !isEnd ? null : take(1);
  }

  function scheme(isEnd: boolean): string | null {
    const [written] = /[a-z][a-z0-9+.-]*$/i.exec(before) ?? [];
    if (written === undefined) return take(1);
    for (let at = 1; at < 3; at += 1) {
      if (pending.length <= at) return isEnd ? take(1) : null;
      const reading = code.isFenced ? 'none' : readEntity(pending.slice(at));
      if (reading === 'partial') return isEnd ? take(1) : null;
      if (reading !== 'none') pending = pending.slice(0, at) + reading.text + pending.slice(at + reading.length);
      if (pending.charAt(at) !== '/') return take(1);
    }
    return address(isEnd, written);
  }

  /** A bare address, from its beginning or, with its scheme passed on already, from the colon. */
  function address(isEnd: boolean, scheme = ''): string | null {
    const kind: LinkKind = images.isOpen ? 'image' : 'link';
    const end = pending.search(runEnd);
    if (end < 0 && !isEnd && pending.length <= maxUrl) return null;
    const run = end < 0 ? pending : pending.slice(0, end);
    // Somebody writes about addresses.
    if (/^(?:https?)?:\/\/$/i.test(withoutTrailing(run))) return take(run.length);
    if (run.length > maxUrl) {
      dropping = true;
      return take(run.length, removedLink);
    }
    const known = prefixesOf(scheme + run).find(
      (prefix) => prefix.length > scheme.length && links.allows(prefix, kind),
    );
    if (known === undefined) {
      const length = Math.max(withoutTrailing(scheme + run).length - scheme.length, 1);
      return take(length, removedLink);
    }
    const length = known.length - scheme.length;
    const rest = run.slice(length);
    // What follows an address without a space, and is no end of a sentence, is not to become a part of it.
    return take(length) + (withoutTrailing(rest) === '' ? '' : ' ');
  }

  function drop(): string | null {
    const end = pending.search(urlEnd);
    dropping = end < 0;
    take(end < 0 ? pending.length : end);
    return pending === '' ? null : '';
  }

  /** `](destination)` of a link, `]: destination` of a definition. */
  function closing(isEnd: boolean): string | null {
    if (pending.length === 1 && !isEnd) return null;
    const mark = pending.charAt(1);
    if (mark !== '(' && mark !== ':') return take(1);
    const reading = readDestination(pending, isEnd);
    if (reading === 'partial') return null;
    if (reading === 'none') return take(2);
    if (reading === 'endless') {
      dropping = true;
      return take(2, `] ${removedLink}`);
    }
    // Where the brackets are no link after all, a tag that stands in them is one.
    const isWhole = mark === '(' && reading.isClosed && !pending.slice(0, reading.end).includes('<');
    if (isFine(reading, mark === ':')) return take(isWhole ? reading.end : 2);
    return take(reading.end, mark === ':' ? `]: ${removedLink}` : `] ${removedLink}`);
  }

  function isFine({ destinations: [destination = ''], isClosed }: DestinationReading, isDefinition: boolean): boolean {
    const kind = isDefinition || images.isOpen ? 'image' : 'link';
    if (links.allows(destination, kind)) return true;
    if (isDefinition && links.allows(withoutTrailing(destination), kind)) return true;
    if (mayLeave(destination)) return false;
    // `handlers[name](event)`, `[x](y and z)`, and `[note]: see below`.
    return code.isCode || !isClosed || (isDefinition && !/[/\\?]/.test(destination));
  }

  function angle(isEnd: boolean): string | null {
    const reading = readAutolinkOrTag(pending, isEnd);
    if (reading === 'partial') return null;
    if (reading === 'none') return take(1);
    // Its end is too far away to be waited for: as text it leads nowhere.
    if (reading === 'endless') return take(1, code.isFenced ? undefined : '&lt;');
    const { destinations, end, kind, isActive } = reading;
    // A backtick without a partner makes no code: what it hides must be harmless anyway.
    const isShown = code.isFenced || (code.isCode && !pending.slice(0, end).includes('='));
    const foreign = destinations.filter((destination) => !links.allows(destination, kind));
    const leaves = code.isCode ? foreign.some(mayLeave) : foreign.length > 0;
    return leaves || (isActive && !isShown) ? take(end, removedLink) : take(1);
  }

  /** An address may be written with entities or backslashes, which Markdown takes out before others look for addresses. */
  function decoded(isEnd: boolean): string | null {
    if (code.isFenced) return take(1);
    const reading = readEntity(pending);
    if (reading === 'partial') return isEnd ? take(1) : null;
    const isPath = reading !== 'none' && reading.text === '.' && !/(?:^|[^a-z0-9])www$/i.test(before);
    if (reading === 'none' || isPath) return take(1);
    // The other way to begin an address: nobody who means well hides its dot.
    if (reading.text === '.') {
      dropping = true;
      return take(reading.length, removedLink);
    }
    pending = reading.text + pending.slice(reading.length);
    return '';
  }
}

/** A whole text at once. */
export function guardLinks(text: string, links: KnownLinks): string {
  const guard = createLinkGuard(links);
  return guard.push(text) + guard.end();
}

/** Every text of a value, names too: JSON may have hidden an address from the guard of its text. Null: nothing is taken out. */
export function guardJson(value: Json, links: KnownLinks | null): Json {
  if (links === null) return value;
  if (typeof value === 'string') return guardLinks(value, links);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => guardJson(item, links));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [guardLinks(name, links), guardJson(item, links)]),
  );
}
