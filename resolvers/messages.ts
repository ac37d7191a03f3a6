import type { MessageRecord } from '../core/contracts/conversation-store.ts';
import type { ToolCallRecord } from '../core/contracts/run-event.ts';

export function textOf({ parts }: MessageRecord): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
}

/** Without the calls' passages and their bookkeeping: as the log shows them. */
export function toolCallsOf({ parts }: MessageRecord): ToolCallRecord[] {
  return parts.flatMap((part) => (part.type === 'tool-call' ? [part] : []));
}

export function attachmentsOf({ parts }: MessageRecord) {
  return parts.flatMap((part) =>
    part.type === 'attachment'
      ? [
          {
            mimeType: part.mimeType,
            url: part.url ?? null,
            bytes: part.base64 === undefined ? null : bytesOf(part.base64),
          },
        ]
      : [],
  );
}

const bytesOf = (base64: string): number => Math.floor((base64.replaceAll('=', '').length * 3) / 4);
