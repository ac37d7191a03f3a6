import type { LinkKind } from './known-links.ts';

export interface Reading {
  /** Where it leads; of a tag all its addresses. */
  readonly destinations: readonly string[];
  /** Just behind it. */
  readonly end: number;
}

/** No real one is longer. */
const maxLength = 4_096;

/** `](destination "title")` or `]: destination` at the beginning of a text that is still arriving. */
export function readDestination(pending: string, isEnd: boolean): Reading | 'none' | 'partial' | 'endless' {
  const text = pending.slice(0, maxLength);
  const more = pending.length > maxLength ? 'endless' : isEnd ? 'none' : 'partial';
  const start = afterBlank(text, 2);
  if (start === text.length) return more;
  if (text.charAt(1) === ':') return definition(text, start, more);
  const found = text.charAt(start) === '<' ? inAngles(text, start) : bareDestination(text, start);
  if (found === null) return more;
  const { destination, end } = found;
  let close = afterBlank(text, end);
  if (close === text.length) return more;
  const quote = closingQuote(text.charAt(close));
  if (quote !== null && close > end) {
    const titleEnd = text.indexOf(quote, close + 1);
    if (titleEnd < 0) return more;
    close = afterBlank(text, titleEnd + 1);
    if (close === text.length) return more;
  }
  return text.charAt(close) === ')' ? { destinations: [destination], end: close + 1 } : 'none';
}

/** What follows it, tags of HTML too, is looked at by itself: it may be no definition after all. */
function definition<T>(text: string, start: number, more: T): Reading | 'none' | T {
  const angle = text.charAt(start) === '<' ? 1 : 0;
  const length = text.slice(start + angle).search(/[\s<>]/);
  if (length < 0 && more === 'partial') return more;
  const end = length < 0 ? text.length : start + angle + length;
  const destination = text.slice(start + angle, end);
  const close = angle === 1 && text.charAt(end) === '>' ? 1 : 0;
  return destination === '' ? 'none' : { destinations: [destination], end: end + close };
}

/** Null: its end has not come yet. A line's end within it makes it none, and so it ends there. */
function inAngles(text: string, start: number): { destination: string; end: number } | null {
  const end = text.slice(start).search(/[>\n]/);
  if (end < 0) return null;
  const isClosed = text.charAt(start + end) === '>';
  return { destination: text.slice(start + 1, start + end), end: start + end + (isClosed ? 1 : 0) };
}

function bareDestination(text: string, start: number): { destination: string; end: number } | null {
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    const character = text.charAt(end);
    if (character === '\\') end += 1;
    else if (character === '(') depth += 1;
    else if (/\s/.test(character) || (character === ')' && depth-- === 0)) {
      return { destination: text.slice(start, end), end };
    }
  }
  return null;
}

function afterBlank(text: string, from: number): number {
  const length = text.slice(from).search(/\S/);
  return length < 0 ? text.length : from + length;
}

function closingQuote(opening: string): string | null {
  if (opening === '"' || opening === "'") return opening;
  return opening === '(' ? ')' : null;
}

const linkAttributes = new Set([
  ...['href', 'cite', 'action', 'formaction', 'ping', 'xlink:href', 'src', 'srcset', 'poster', 'background', 'data'],
  ...['lowsrc', 'dynsrc', 'longdesc'],
]);
const activeTags = new Set(['script', 'style', 'base', 'meta', 'link', 'iframe', 'frame', 'object', 'embed', 'form']);

export interface AngleReading extends Reading {
  readonly kind: LinkKind;
  /** It does more than show something: nothing of it is let through, wherever it leads. */
  readonly isActive: boolean;
}

/** `<https://…>` or a tag of HTML, at the beginning of a text that is still arriving. */
export function readAutolinkOrTag(pending: string, isEnd: boolean): AngleReading | 'none' | 'partial' {
  const text = pending.slice(0, maxLength);
  const more = isEnd || pending.length > maxLength ? 'none' : 'partial';
  if (text.length === 1) return more;
  if (!/^<[a-z/]/i.test(text)) return 'none';
  const autolink = /^<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*)(>?)/i.exec(text);
  if (autolink !== null) {
    const [all, destination = '', close] = autolink;
    if (close !== '') return { destinations: [destination], end: all.length, kind: 'link', isActive: false };
    if (all.length === text.length) return more;
  }
  const end = tagEnd(text);
  if (end === null) return more;
  return end === 0 ? 'none' : readTag(text.slice(0, end));
}

/** Behind the `>` that closes the tag, attributes in quotes left aside; 0: it is none; null: it has not come yet. */
function tagEnd(text: string): number | null {
  let quote = '';
  for (let end = 1; end < text.length; end += 1) {
    const character = text.charAt(end);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '>') return end + 1;
    else if (character === '<') return 0;
    else if (character === '"' || character === "'") {
      // Elsewhere it is an apostrophe of the text.
      if (/=\s*$/.test(text.slice(Math.max(0, end - 8), end))) quote = character;
    } else if (character === '\n' && /^\s*\n/.test(text.slice(end + 1))) return 0;
  }
  return null;
}

function readTag(tag: string): AngleReading {
  const name = /^<\/?([a-z][^\s/>]*)/i.exec(tag)?.[1]?.toLowerCase() ?? '';
  const attributes = [...tag.matchAll(/([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/g)].map(
    ([, attribute = '', ...values]) =>
      [attribute.toLowerCase(), values.find((value) => value !== undefined) ?? ''] as const,
  );
  const leads = attributes.filter(([attribute]) => linkAttributes.has(attribute));
  const acts = attributes.some(([attribute]) => attribute.startsWith('on') || attribute === 'style');
  return {
    destinations: leads.map(([, value]) => value.trim()),
    end: tag.length,
    kind: name === 'a' || name === 'area' ? 'link' : 'image',
    isActive: acts || activeTags.has(name),
  };
}

const named: Readonly<Record<string, string>> = { colon: ':', sol: '/', period: '.', commat: '@', num: '#' };

/**
 * `&#58;`, `&colon;` or a backslash before `:`, `/` or `.` at the beginning of a text that is still arriving: what of an address was
 * written another way. Other entities stay as they are, since decoded they could be marks of Markdown or HTML.
 */
export function readEntity(text: string): { readonly text: string; readonly length: number } | 'none' | 'partial' {
  if (text.startsWith('\\')) {
    if (text.length === 1) return 'partial';
    return /^\\[:/.]/.test(text) ? { text: text.charAt(1), length: 2 } : 'none';
  }
  const [all = ''] = /^&#?\w{0,10};?/.exec(text) ?? [];
  if (!all.endsWith(';')) return all.length === text.length ? 'partial' : 'none';
  const body = all.slice(1, -1);
  const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(body);
  if (number === null) return body in named ? { text: named[body] ?? '', length: all.length } : 'none';
  const point = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  const character = point < 128 ? String.fromCharCode(point) : '';
  return /[a-z0-9:/.@-]/i.test(character) ? { text: character, length: all.length } : 'none';
}
