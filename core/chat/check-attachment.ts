import { GatewayError } from '../contracts/gateway-error.ts';
import type { Attachment } from '../contracts/model-provider.ts';
import type { ChatModel } from '../models/models.ts';
import { assertStorable } from '../text/normalise.ts';

/** A type and a subtype of RFC 6838, and parameters. */
const mimeTypeForm = /^[a-z0-9][\w.+-]*\/[a-z0-9][\w.+-]*(?:\s*;.*)?$/i;

/** BAD_INPUT unless the attachment is whole and the model reads it; `name` is where it stands in the input. */
export function checkAttachment(attachment: Attachment, name: string, model: ChatModel): void {
  const { mimeType, url, base64 } = attachment;
  if ((url === undefined) === (base64 === undefined)) {
    throw bad(`${name} needs exactly one of url and base64, got ${url === undefined ? 'neither' : 'both'}.`);
  }
  assertStorable(mimeType, `${name}.mimeType`);
  if (mimeType.length > 200 || !mimeTypeForm.test(mimeType)) {
    throw bad(`${name}.mimeType must be a MIME type, such as image/png, got "${mimeType.slice(0, 100)}".`);
  }
  assertReadable(attachment, model, name);
  if (url !== undefined) checkUrl(url, mimeType, name);
  else checkBase64(base64 ?? '', mimeType, name);
}

export function assertReadable(attachment: Attachment, model: ChatModel, name = 'an attachment'): void {
  if (isReadable(attachment, model)) return;
  const readable = model.attachments.join(', ') || 'no attachments';
  throw bad(`${model.name} reads ${readable}; ${name} is of type "${attachment.mimeType.slice(0, 100)}".`);
}

export function isReadable({ mimeType }: Attachment, { attachments }: ChatModel): boolean {
  const essence = essenceOf(mimeType);
  return attachments.some((type) => (type.endsWith('/*') ? essence.startsWith(type.slice(0, -1)) : type === essence));
}

/** The protocol of the providers has a place for an image's URL only. */
function checkUrl(url: string, mimeType: string, name: string): void {
  assertStorable(url, `${name}.url`);
  if (!/^(?:https?|data):/i.test(url) || !URL.canParse(url)) {
    throw bad(`${name}.url must be an http, https or data URL, got "${url.slice(0, 60)}".`);
  }
  if (essenceOf(mimeType).startsWith('image/')) return;
  throw bad(`${name}.base64 must be given for ${mimeType}: only images may be given as a url.`);
}

function checkBase64(base64: string, mimeType: string, name: string): void {
  if (base64 === '' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw bad(`${name}.base64 must be base64 with its padding, got ${base64.length} characters that are not.`);
  }
  if (!essenceOf(mimeType).startsWith('text/')) return;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw bad(`${name}.base64 must hold UTF-8 text for ${mimeType}, got other bytes.`);
  }
}

function essenceOf(mimeType: string): string {
  return (mimeType.split(';')[0] ?? '').trim().toLowerCase();
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
