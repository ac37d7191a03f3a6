import type { CallToolResult } from '@modelcontextprotocol/client';
import type { Json } from '../../core/contracts/filter.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';

type Content = CallToolResult['content'][number];

/**
 * What the model is told: the structured content where there is one, one text as a string, and a list of parts otherwise. Models take
 * text as a tool's result, so of images, sounds and files it is told what they are, and not their bytes.
 */
export function resultValue({ structuredContent, content }: CallToolResult): Json {
  // Both came as JSON over the wire.
  if (structuredContent !== undefined) return structuredContent as Json;
  const parts = content.map(partOf);
  const [only] = parts;
  return parts.length === 1 && typeof only === 'string' ? only : parts;
}

/** The tool ran, and says itself that it failed. */
export function failureOf({ content }: CallToolResult, tool: string): GatewayError {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return new GatewayError('UPSTREAM_REJECTED', `${tool} failed: ${text.slice(0, 2_000) || 'it did not say why'}`);
}

/** Never cut: half of a JSON text, or of a table, would be taken for the whole. */
export function assertFits(value: Json, maxBytes: number, tool: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > maxBytes) throw tooLarge(tool, `${bytes} bytes`, maxBytes);
}

export function tooLarge(tool: string, came: string, maxBytes: number): GatewayError {
  const how = 'ask for less, or raise maxResultBytes of its server';
  return new GatewayError(
    'UPSTREAM_REJECTED',
    `A result of ${tool} must be at most ${maxBytes} bytes, got ${came}: ${how}.`,
  );
}

function partOf(part: Content): Json {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'image':
    case 'audio':
      return { type: part.type, mimeType: part.mimeType, bytes: bytesOf(part.data) };
    case 'resource': {
      const { uri, mimeType = null } = part.resource;
      return 'text' in part.resource
        ? { type: 'resource', uri, mimeType, text: part.resource.text }
        : { type: 'resource', uri, mimeType, bytes: bytesOf(part.resource.blob) };
    }
    case 'resource_link': {
      const { uri, name, description = null, mimeType = null } = part;
      return { type: 'resource_link', uri, name, description, mimeType };
    }
  }
}

function bytesOf(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
