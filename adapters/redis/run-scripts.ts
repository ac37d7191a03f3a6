import type { Script } from './connection.ts';
import { recordFields } from './run-hash.ts';

/* KEYS: the hash of a run. Times are those of Redis, since the clocks of instances differ. */

const basis = `
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local function record() return redis.call('HMGET', KEYS[1], '${recordFields.join("', '")}') end
local function isUnderWay(status) return status == 'QUEUED' or status == 'RUNNING' end
`;

/**
 * ARGV: token, ms kept, fields and values. Gives {whether the run is this claim's, its record}: a claim that comes again, after
 * its answer was lost, is known by its token.
 */
export const claimScript: Script = {
  name: 'sluiceClaim',
  lua: `${basis}
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'token', ARGV[1], 'createdAt', now, unpack(ARGV, 3))
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return {redis.call('HGET', KEYS[1], 'token') == ARGV[1] and 1 or 0, record()}
`,
};

/** ARGV: token. Takes a claim back whose answer never came, unless the run was begun. */
export const unclaimScript: Script = {
  name: 'sluiceUnclaim',
  lua: `
local known = redis.call('HMGET', KEYS[1], 'token', 'status')
if known[1] == ARGV[1] and known[2] == 'QUEUED' then return redis.call('DEL', KEYS[1]) end
return 0
`,
};

/**
 * ARGV: attempt, id of the write, ms kept, whether it ends the run, time of the start and of the end ('now', or '' for none),
 * fields and values. Gives 1 when it is written, also before, 0 when it is refused, -1 when there is no such run.
 */
export const updateScript: Script = {
  name: 'sluiceUpdate',
  lua: `${basis}
local known = redis.call('HMGET', KEYS[1], 'attempt', 'status', 'write')
if not known[1] then return -1 end
if known[3] == ARGV[2] then return 1 end
if known[1] ~= ARGV[1] or not isUnderWay(known[2]) then return 0 end
local function timeOf(given) return given == 'now' and now or given end
redis.call('HSET', KEYS[1], 'write', ARGV[2], unpack(ARGV, 7))
if ARGV[5] ~= '' then redis.call('HSETNX', KEYS[1], 'startedAt', timeOf(ARGV[5])) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'finishedAt', timeOf(ARGV[6])) end
if ARGV[4] == '1' then redis.call('HDEL', KEYS[1], 'input') end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
};

/**
 * ARGV: attempt, error, ms kept, ms for which a run is left alone after its claim. Ends a run whose instance has gone, with the
 * next attempt, so that the instance can write no more should it come back. Gives the record as it is then.
 */
export const failScript: Script = {
  name: 'sluiceFail',
  lua: `${basis}
local known = redis.call('HMGET', KEYS[1], 'attempt', 'status', 'createdAt')
if known[1] == ARGV[1] and isUnderWay(known[2]) and tonumber(now) - tonumber(known[3]) >= tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'status', 'FAILED', 'error', ARGV[2], 'finishedAt', now,
    'attempt', string.format('%.0f', tonumber(known[1]) + 1))
  redis.call('HDEL', KEYS[1], 'input')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return record()
`,
};

/** ARGV: reason. Gives {instance, the first reason}, or nothing when the run has ended or is unknown. */
export const cancelScript: Script = {
  name: 'sluiceCancel',
  lua: `${basis}
if not isUnderWay(redis.call('HGET', KEYS[1], 'status')) then return {} end
redis.call('HSETNX', KEYS[1], 'cancelReason', ARGV[1])
return redis.call('HMGET', KEYS[1], 'instance', 'cancelReason')
`,
};
