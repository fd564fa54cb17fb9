-- Clears away some of what an earlier epoch left behind.
--
-- KEYS    epoch
-- ARGV    4 how many peers at most
-- Result  OK, whether there is more to do | EPOCH | FENCED
-- Cost    O(peers).

local no = refused()
if no then return no end
local old = redis.call('SRANDMEMBER', BASE .. 'old')
if not old then return { 'OK', 0 } end

K = BASE .. old .. ':'
local node = redis.call('ZRANGE', K .. 'leases', 0, 0)[1] or redis.call('SRANDMEMBER', K .. 'dead')
if not node then
  redis.call('DEL', K .. 'leases', K .. 'dead', K .. 'open', K .. 'lobby')
  redis.call('SREM', BASE .. 'old', old)
  return { 'OK', redis.call('EXISTS', BASE .. 'old') }
end
local peers = K .. 'peers:' .. node
for _, entry in ipairs(redis.call('SRANDMEMBER', peers, ARGV[4])) do
  local peer, room = string.match(entry, '^(%S+) (.*)$')
  redis.call('DEL', K .. 'room:' .. room, K .. 'seats:' .. room, K .. 'where:' .. peer)
  redis.call('SREM', peers, entry)
end
if redis.call('EXISTS', peers) == 0 then
  redis.call('ZREM', K .. 'leases', node)
  redis.call('SREM', K .. 'dead', node)
  redis.call('DEL', K .. 'node:' .. node, K .. 'inbox:' .. node)
end
return { 'OK', 1 }
