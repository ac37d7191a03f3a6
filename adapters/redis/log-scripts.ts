import type { Script } from './connection.ts';

/*
 * KEYS: the stream, whose entries have the id `<seq>-0` and the fields a (at) and e (event, JSON); and the hash
 * {attempt, lastSeq, ended, writer, batch, at}, since a stream that was trimmed to nothing says nothing. Both expire together.
 */

/** Where the log stands. A hash that was evicted is read back from the stream. */
const standing = `
local meta = redis.call('HMGET', KEYS[2], 'attempt', 'lastSeq', 'ended', 'writer', 'batch', 'at')
local lastSeq = tonumber(meta[2] or 0)
if not meta[2] then
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  if newest[1] then lastSeq = tonumber(string.match(newest[1][1], '^%d+')) end
end
local isFenced = meta[1] and tonumber(ARGV[1]) < tonumber(meta[1])
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep(forMs)
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, string.format('%.0f', at + forMs)) end
end
`;

/**
 * ARGV: attempt, writer, batch, floor, longest length, ms kept while open, ms kept after the end, whether the last event is
 * terminal, events. Batches of a writer are numbered: one that comes again, or late over a connection that was given up,
 * is known by its number. Gives {1, lastSeq, at}, {0} when fenced off, or {2} when what stood at the floor is lost.
 */
export const appendScript: Script = {
  name: 'sluiceAppend',
  lua: `${standing}
if meta[4] == ARGV[2] and tonumber(meta[5]) >= tonumber(ARGV[3]) then return {1, lastSeq, tonumber(meta[6])} end
if isFenced or meta[3] == '1' then return {0} end
if not meta[2] and tonumber(ARGV[4]) > 0 then return {2} end
if #ARGV == 8 then return {1, lastSeq, at} end
lastSeq = math.max(lastSeq, tonumber(ARGV[4]))
for index = 9, #ARGV do
  lastSeq = lastSeq + 1
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], string.format('%.0f-0', lastSeq),
    'a', string.format('%.0f', at), 'e', ARGV[index])
end
redis.call('HSET', KEYS[2], 'attempt', ARGV[1], 'lastSeq', string.format('%.0f', lastSeq), 'ended', ARGV[8],
  'writer', ARGV[2], 'batch', ARGV[3], 'at', string.format('%.0f', at))
keep(ARGV[8] == '1' and ARGV[7] or ARGV[6])
return {1, lastSeq, at}
`,
};

/** ARGV: attempt, floor, ms kept while open. Gives {1, lastSeq, ended}, or {0} when fenced off. */
export const fenceScript: Script = {
  name: 'sluiceFence',
  lua: `${standing}
if isFenced then return {0} end
if meta[3] == '1' then return {1, lastSeq, 1} end
if tonumber(ARGV[2]) > lastSeq then
  lastSeq = tonumber(ARGV[2])
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[2], 'attempt', ARGV[1], 'lastSeq', string.format('%.0f', lastSeq), 'ended', '0')
keep(ARGV[3])
return {1, lastSeq, 0}
`,
};

/** ARGV: after, limit. Gives {lastSeq, ended, entries} of one moment: a length read later would look like a gap. */
export const pageScript: Script = {
  name: 'sluicePage',
  lua: `
local meta = redis.call('HMGET', KEYS[2], 'lastSeq', 'ended')
return {meta[1] or '0', meta[2] or '0', redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])}
`,
};
