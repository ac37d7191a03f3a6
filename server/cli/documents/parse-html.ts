import { convert, type HtmlToTextOptions } from 'html-to-text';
import { decodeText } from './decode-text.ts';
import { fileTitle } from './parse-text.ts';
import { DocumentFault, originOf, type Parsed, parsedDocument, type SourceFile } from './parsed.ts';
import { readFile } from './read-file.ts';

/** Below the length at which html-to-text cuts its input off without a word. */
const maxHtmlBytes = 10_000_000;

const skipped = ['img', 'nav', 'noscript', 'script', 'style', 'svg', 'template'];
const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
const bodyOptions: HtmlToTextOptions = {
  wordwrap: false,
  selectors: [
    ...skipped.map((selector) => ({ selector, format: 'skip' })),
    ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
  ],
};
const titleOptions: HtmlToTextOptions = {
  wordwrap: false,
  baseElements: { selectors: ['head > title', 'title'], returnDomByDefault: false },
};

/** A web page is one document: the text a reader sees, titled by its <title>. */
export async function* parseHtml(file: SourceFile): AsyncGenerator<Parsed> {
  const bytes = await readFile(file, maxHtmlBytes);
  const html = decodeText(bytes, declaredEncoding(bytes));
  let title: string;
  let text: string;
  try {
    title = convert(html, titleOptions).replace(/\s+/gu, ' ').trim();
    text = convert(html, bodyOptions);
  } catch (error) {
    if (error instanceof RangeError) throw new DocumentFault('is nested too deeply to be read as HTML');
    throw error;
  }
  yield parsedDocument({
    externalId: file.path,
    title: title === '' ? fileTitle(file) : title,
    text,
    url: null,
    metadata: originOf(file),
  });
}

/** `<meta charset=…>` stands within the first 1,024 bytes, in ASCII. */
function declaredEncoding(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 1_024)).toString('latin1');
  return /<meta[^>]+charset\s*=\s*["']?([\w-]+)/iu.exec(head)?.[1] ?? 'utf-8';
}
