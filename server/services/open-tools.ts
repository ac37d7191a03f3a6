import { httpGet } from '../../adapters/http-get/http-get.ts';
import type { ResponseSchemas } from '../../core/chat/response-schemas.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { Tool, ToolProvider } from '../../core/contracts/tool.ts';
import type { SearchServices } from '../../core/search/search.ts';
import { calculate } from '../../core/tools/builtin/calculate.ts';
import { type ReadServices, readDocumentTool } from '../../core/tools/builtin/read-document.ts';
import { searchTool } from '../../core/tools/builtin/search.ts';
import { createToolbox, type Toolbox } from '../../core/tools/toolbox.ts';
import type { Config } from '../config/config-schema.ts';

export interface ToolParts extends SearchServices, ReadServices {
  readonly schemas: ResponseSchemas;
  readonly logger: Logger;
  /** Whose tools are beside the built-in ones. */
  readonly servers: readonly ToolProvider[];
}

/** The tools of this gateway: the built-in ones first, so that no server can take their names. */
export function openTools({ tools: config }: Config, parts: ToolParts): Toolbox {
  const { schemas, logger, servers } = parts;
  const { maxResultChars, settings, httpGet: get } = config;
  const builtin: Tool[] = [calculate, searchTool(parts), readDocumentTool(parts)];
  // Without a host that it may read it would only be a name to ask for in vain.
  if (get.hosts.length > 0) {
    builtin.push(httpGet({ ...get, maxResultChars: settings['http_get']?.maxResultChars ?? maxResultChars }));
  }
  return createToolbox({
    providers: [{ tools: () => builtin }, ...servers],
    schemas,
    logger,
    settings,
    maxResultChars,
  });
}
