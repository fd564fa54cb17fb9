-- Makes those who send to a peer wait, while it is about to move in several partitions.
--
-- KEYS    epoch
-- ARGV    4 peer  5 for how many ms at most  6… room, generation, for each stay
-- Result  OK | SETTLING | EPOCH | FENCED
-- Cost    O(rooms).
--
-- The partitions of a cluster do not move as one. Were the first moved and the second not yet, then
-- of two messages of one sender, into a room of each, the later could be the earlier to arrive.
-- So all are frozen, then all are moved: what one sender had accepted before is all on the old
-- node, and what it sends after is all on the new.

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

local peer, time = ARGV[4], now()
for at = 6, #ARGV, 2 do
  local room = ARGV[at]
  local text = redis.call('HGET', K .. 'room:' .. room, peer)
  local node, generation
  if text then node, generation = member(text) end
  if node == NODE and generation == ARGV[at + 1] then
    local marks = K .. 'gone:' .. NODE .. ':' .. room
    local stays = string.match(redis.call('HGET', marks, peer) or '', '^%S+ %d+(.*)$') or ''
    redis.call('HSET', marks, peer, '~ ' .. string.format('%.0f', time + ARGV[5]) .. stays)
    redis.call('PEXPIRE', marks, 60000)
  end
end
return { 'OK' }
