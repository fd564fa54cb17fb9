-- Takes some peers of one dead node out of their rooms.
--
-- KEYS    epoch
-- ARGV    4 the node, or - for any whose lease has ended  5 how many peers at most
-- Result  OK, whether any node is left to be swept, how many peers of this one | EPOCH | FENCED
-- Atomic  first of all the node is marked dead: all it asks from then on is refused, so that
--         nothing of it comes between one piece of the sweep and the next.
-- Cost    O(peers taken out * nodes in their rooms).
--
-- A node may sweep itself without a lease: when it was fenced, and when it says goodbye.

local target = ARGV[4]
local no = refused()
if no and (no[1] ~= 'FENCED' or target ~= NODE) then return no end
SETTLED = redis.call('HGET', KEYS[1], 'settled') == '1'

if target == '-' then
  target = redis.call('SRANDMEMBER', K .. 'dead')
  if not target then
    local time = now()
    if time < tonumber(redis.call('HGET', KEYS[1], 'hold')) then return { 'OK', 0, 0 } end
    target = redis.call('ZRANGEBYSCORE', K .. 'leases', '-inf', time, 'LIMIT', 0, 1)[1]
    if not target then return { 'OK', 0, 0 } end
  end
end

redis.call('SADD', K .. 'dead', target)
redis.call('ZREM', K .. 'leases', target)
redis.call('SREM', K .. 'open', target)
redis.call('DEL', K .. 'node:' .. target, K .. 'inbox:' .. target)
local peers = K .. 'peers:' .. target
for _, entry in ipairs(redis.call('SRANDMEMBER', peers, ARGV[5])) do
  local peer, room = string.match(entry, '^(%S+) (.*)$')
  local text = redis.call('HGET', K .. 'room:' .. room, peer)
  if text and member(text) == target then
    local nodes = nodes_of(room)
    unplace(room, peer, target)
    advance(room, true, 'l', peer .. ' lost', nodes, true)
    tally(room)
  end
  redis.call('SREM', peers, entry)
end
local left = redis.call('SCARD', peers)
if left == 0 then redis.call('SREM', K .. 'dead', target) end
return { 'OK', redis.call('EXISTS', K .. 'dead'), left }
