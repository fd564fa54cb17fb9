-- Renews the caller's lease, and takes in how far it has read its inbox.
--
-- KEYS    epoch
-- ARGV    4 lease in ms  5, 6 the number of the last entry it handled, and the bytes up to it
-- Result  OK, the last number in its inbox, ms until another node's lease ends (-1: there is none),
--         how many nodes are being swept | EPOCH | FENCED
-- Cost    O(log nodes), whatever the number of peers.
--
-- Where nobody renewed for half a lease, the server was away, not the nodes: none of them is
-- swept for one lease.

local no = refused()
if no then return no end
local time, lease = now(), tonumber(ARGV[4])
local renewed = redis.call('HGET', KEYS[1], 'renewed')
if time - renewed > lease / 2 then redis.call('HSET', KEYS[1], 'hold', time + lease) end
redis.call('HSET', KEYS[1], 'renewed', time)
redis.call('ZADD', K .. 'leases', time + lease, NODE)
acknowledge(ARGV[5], ARGV[6])

local next = -1
local first = redis.call('ZRANGE', K .. 'leases', 0, 1, 'WITHSCORES')
for at = 1, #first, 2 do
  if first[at] ~= NODE and next < 0 then next = math.max(first[at + 1] - time, 0) end
end
local seq = redis.call('HGET', K .. 'node:' .. NODE, 'seq')
return { 'OK', tonumber(seq), next, redis.call('SCARD', K .. 'dead') }
