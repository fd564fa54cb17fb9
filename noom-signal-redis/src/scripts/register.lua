-- Takes a node into the cluster, or finds that it is in it still.
--
-- KEYS    epoch
-- ARGV    4 the id of a new epoch, if there has to be one  5 lease in ms  6 settle time in ms
--         7, 8 the most entries and bytes its inbox may hold  9 the epoch it was in, or -
-- Result  OK, epoch, settled, the last number and bytes its inbox was read up to | FENCED, epoch (its peers are not all out yet)
-- Atomic  all of it: of many that find the store emptied, one begins the epoch.
-- Cost    O(1).
--
-- An epoch ends when the store may have lost something: its mark is gone (emptied), or another
-- server, or another run of the same, answers (restarted, failed over). What that has kept is of
-- the old epoch, whose keys nobody looks at any more; purge.lua clears them away.

local known = redis.call('HMGET', KEYS[1], 'id', 'run', 'settled', 'at')
local id, this, time = known[1], run(), now()
local settled, at = known[3] == '1', known[4]
if not id or known[2] ~= this then
  if id then redis.call('SADD', BASE .. 'old', id) end
  id, settled, at = ARGV[4], false, time
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'id', id, 'run', this, 'at', time, 'settle', ARGV[6],
    'settled', '0', 'renewed', time, 'hold', 0, 'count', 0)
  redis.call(PUBLISH, BASE .. 'all', id)
end

K = BASE .. id .. ':'
local inbox = K .. 'node:' .. NODE
if not redis.call('ZSCORE', K .. 'leases', NODE) then
  local swept = redis.call('SISMEMBER', K .. 'dead', NODE) == 0
    and redis.call('SCARD', K .. 'peers:' .. NODE) == 0
  if ARGV[9] == id or not swept then return { 'FENCED', id } end
  redis.call('DEL', K .. 'inbox:' .. NODE, inbox)
  -- Above all numbers that its inbox may have reached before, were it in this epoch already: at less
  -- than 100,000 entries a second.
  local start = (time - at) * 100
  redis.call('HSET', inbox, 'seq', start, 'bytes', 0, 'ack', start, 'acked', 0, 'gap', 0,
    'entries', ARGV[7], 'limit', ARGV[8])
  if not settled then redis.call('SADD', K .. 'open', NODE) end
end
redis.call('ZADD', K .. 'leases', time + ARGV[5], NODE)
local read = redis.call('HMGET', inbox, 'ack', 'acked')
return { 'OK', id, settled and 1 or 0, read[1], read[2] }
