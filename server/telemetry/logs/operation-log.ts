import type { Logger } from '../../../core/contracts/logger.ts';
import type { OperationObserver } from '../operations/operation.ts';

const longestName = 100;
const shownOfKeyId = 8;

/** One line per operation. What it said or asked for is not in it. */
export function operationLog(logger: Logger, level: 'debug' | 'info'): OperationObserver {
  return {
    began() {},
    streams() {},
    ended({ kind, name, transport, code, principal, requestId }, durationMs) {
      const fields = {
        kind,
        ...(name === null ? {} : { name: name.slice(0, longestName) }),
        transport,
        code: code ?? 'OK',
        ms: Math.round(durationMs * 10) / 10,
        tenant: principal.tenant,
        ...(principal.keyName === null ? {} : { key: principal.keyName }),
        ...(principal.keyId === null ? {} : { keyId: principal.keyId.slice(0, shownOfKeyId) }),
        requestId,
      };
      logger[level](fields, 'operation');
    },
  };
}
