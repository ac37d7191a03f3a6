import { extractText, getDocumentProxy, getMeta } from 'unpdf';
import { fileTitle } from './parse-text.ts';
import { DocumentFault, originOf, type Parsed, parsedDocument, type SourceFile } from './parsed.ts';
import { readFile } from './read-file.ts';

const maxPdfBytes = 100_000_000;
/** pdf.js: errors only. Its warnings about fonts would mix with the progress bar. */
const verbosity = 0;

/** A PDF is one document: the text of its pages in order, titled by its metadata. */
export async function* parsePdf(file: SourceFile): AsyncGenerator<Parsed> {
  const bytes = await readFile(file, maxPdfBytes);
  const pdf = await getDocumentProxy(bytes, { verbosity }).catch((error: unknown) => {
    throw new DocumentFault(whyUnreadable(error));
  });
  try {
    const { text: pages, totalPages } = await extractText(pdf, { mergePages: false });
    const text = pages
      .map((page) => page.trim())
      .filter((page) => page !== '')
      .join('\n\n');
    if (text === '') {
      throw new DocumentFault(`has no text on its ${totalPages} page(s), probably it is scanned: run OCR on it first`);
    }
    const { info } = await getMeta(pdf);
    // pdf.js types its info dictionary as any.
    const title: unknown = info['Title'];
    yield parsedDocument({
      externalId: file.path,
      title: typeof title === 'string' && title.trim() !== '' ? title.trim() : fileTitle(file),
      text,
      url: null,
      metadata: { ...originOf(file), pages: totalPages },
    });
  } finally {
    await pdf.loadingTask.destroy();
  }
}

function whyUnreadable(error: unknown): string {
  if (!(error instanceof Error)) return 'is no readable PDF';
  return error.name === 'PasswordException'
    ? 'is encrypted: save a copy without a password'
    : `is no readable PDF: ${error.message}`;
}
