import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Attachment } from '../../core/contracts/model-provider.ts';
import type { ContentPart } from './run-agent-input.ts';

export interface Content {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** What a person sent: its texts as one, and the rest as attachments. `path` names it in errors. */
export function contentOf(content: string | readonly ContentPart[], path: string): Content {
  if (typeof content === 'string') return { text: content, attachments: [] };
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const attachments = content.flatMap((part, index) =>
    part.type === 'text' ? [] : [attachmentOf(part, `${path}[${index}]`)],
  );
  return { text: texts.join('\n'), attachments };
}

/** Of a tool: models take it as text alone, so they are told what was left out. */
export function resultText(content: string | readonly ContentPart[]): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => (part.type === 'text' ? part.text : `(${part.type} left out: a result is text)`))
    .join('\n');
}

function attachmentOf(part: Exclude<ContentPart, { type: 'text' }>, path: string): Attachment {
  if (part.type === 'binary') {
    const { mimeType, data, url } = part;
    if (data != null) return { mimeType, base64: data };
    if (url != null) return { mimeType, url };
    throw bad(`${path} must have data or url, got neither.`);
  }
  const { source } = part;
  switch (source.type) {
    case 'data':
      return { mimeType: source.mimeType, base64: source.value };
    case 'url':
      return { mimeType: source.mimeType ?? imageTypeOf(source.value, path), url: source.value };
    case 'file':
      throw bad(`${path}.source.type must be data or url, got file: the gateway keeps no files at a provider.`);
  }
}

const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

/** AG-UI lets the type be left out of a URL. Only images may stay at one, and most say what they are. */
function imageTypeOf(url: string, path: string): string {
  const pathname = URL.canParse(url) ? new URL(url).pathname : '';
  const known =
    /^data:(image\/[\w.+-]+)/i.exec(url)?.[1] ?? imageTypes[pathname.split('.').at(-1)?.toLowerCase() ?? ''];
  if (known !== undefined) return known;
  throw bad(
    `${path}.source.mimeType must be given where the URL does not end in ${Object.keys(imageTypes).join(', ')}.`,
  );
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
