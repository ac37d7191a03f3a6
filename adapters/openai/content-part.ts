import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Attachment } from '../../core/contracts/model-provider.ts';

/** MIME types of attachments that have a place on this wire; whether a model reads them is the model's affair. */
export const attachmentTypes = ['image/*', 'audio/wav', 'audio/mpeg', 'application/pdf', 'text/*'] as const;

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | { readonly type: 'input_audio'; readonly input_audio: { readonly data: string; readonly format: 'wav' | 'mp3' } }
  | { readonly type: 'file'; readonly file: { readonly filename: string; readonly file_data: string } };

/** An attachment as a part of a message; `path` names it in errors. Only images may stay at a URL: the protocol has no place for others. */
export function contentPart(attachment: Attachment, path: string): ContentPart {
  const mimeType = (attachment.mimeType.split(';')[0] ?? '').trim().toLowerCase();
  if (mimeType.startsWith('image/')) {
    const url = attachment.url ?? dataUrl(mimeType, base64Of(attachment, path));
    return { type: 'image_url', image_url: { url } };
  }
  if (mimeType === 'audio/wav' || mimeType === 'audio/mpeg') {
    const format = mimeType === 'audio/wav' ? 'wav' : 'mp3';
    return { type: 'input_audio', input_audio: { data: base64Of(attachment, path), format } };
  }
  if (mimeType === 'application/pdf') {
    const file = { filename: 'attachment.pdf', file_data: dataUrl(mimeType, base64Of(attachment, path)) };
    return { type: 'file', file };
  }
  if (mimeType.startsWith('text/')) return { type: 'text', text: textOf(attachment, path) };
  throw new GatewayError(
    'BAD_INPUT',
    `${path}.mimeType must be one of ${attachmentTypes.join(', ')}, got ${JSON.stringify(attachment.mimeType)}`,
  );
}

function dataUrl(mimeType: string, base64: string): string {
  return `data:${mimeType};base64,${base64}`;
}

function base64Of(attachment: Attachment, path: string): string {
  if (attachment.base64 === undefined) {
    const came = attachment.url === undefined ? 'neither url nor base64' : 'a url';
    throw new GatewayError('BAD_INPUT', `${path}.base64 must be given for ${attachment.mimeType}, got ${came}`);
  }
  return attachment.base64;
}

function textOf(attachment: Attachment, path: string): string {
  const bytes = Buffer.from(base64Of(attachment, path), 'base64');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new GatewayError('BAD_INPUT', `${path}.base64 must hold UTF-8 text, got other bytes`, { cause });
  }
}
