import { convert, type HtmlToTextOptions } from 'html-to-text';

const skipped = ['img', 'nav', 'noscript', 'script', 'style', 'svg', 'template', 'iframe', 'object', 'form'];
const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

export interface PageText {
  readonly title: string | null;
  readonly text: string;
}

/** Null: it is no text. */
export function pageText(body: Buffer, contentType: string, url: string): PageText | null {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const kind = type.trim();
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([\w-]+)/.exec(parameter)?.[1]).find(Boolean);
  if (kind === 'text/html' || kind === 'application/xhtml+xml') return htmlText(body, charset, url);
  const isText = kind.startsWith('text/') || /^application\/(?:[\w.+-]+\+)?(?:json|xml|yaml)$/.test(kind);
  return isText ? { title: null, text: decode(body, charset) } : null;
}

/** What a reader sees, with the addresses of its links: they are what can be read next. */
function htmlText(body: Buffer, charset: string | undefined, url: string): PageText | null {
  const html = decode(body, charset ?? declaredCharset(body));
  const absolute = (path: string): string => URL.parse(path, url)?.href ?? path;
  const options: HtmlToTextOptions = {
    wordwrap: false,
    limits: { maxDepth: 200, ellipsis: '…' },
    selectors: [
      ...skipped.map((selector) => ({ selector, format: 'skip' })),
      ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
      { selector: 'a', options: { pathRewrite: absolute, hideLinkHrefIfSameAsText: true } },
      { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
    ],
  };
  try {
    const title = convert(html, {
      wordwrap: false,
      baseElements: { selectors: ['head > title', 'title'], returnDomByDefault: false },
    }).replace(/\s+/gu, ' ');
    return { title: title.trim() === '' ? null : title.trim(), text: convert(html, options) };
  } catch (error) {
    // Nested deeper than the parser's stack.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function decode(body: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

/** `<meta charset=…>` stands within the first 1,024 bytes, in ASCII. */
function declaredCharset(body: Buffer): string | undefined {
  return /<meta[^>]+charset\s*=\s*["']?([\w-]+)/iu.exec(body.subarray(0, 1_024).toString('latin1'))?.[1];
}
