-- Puts a peer of the caller's into a room.
--
-- KEYS    epoch, room, seats
-- ARGV    4 room  5 peer  6 generation  7 user and meta  8 capacity  9 listed
-- Result  OK, change, members | FULL, count | SETTLING | EPOCH | FENCED
-- Atomic  the count and the new member are one act: of many, one gets the last place. The same
--         peer and generation again is answered like the first, and changes nothing.
-- Cost    O(members) to return the roster, O(nodes in the room) to tell it.

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

local room, peer, generation = ARGV[4], ARGV[5], ARGV[6]
local key = K .. 'room:' .. room
local count = math.max(redis.call('HLEN', key) - 4, 0)
local old = redis.call('HGET', key, peer)
local there
if old then
  local node, former, seat, since = member(old)
  if node == NODE and former == generation then
    local stamps = { 'c', 'j', seat, since, ZERO, since - 1, ZERO, #room }
    local body = table.concat(stamps, ' ') .. ' ' .. room .. ' ' .. peer .. ' ' .. old
    return { 'OK', body, redis.call('HGETALL', key) }
  end
  there, count = node, count - 1
end
if count >= tonumber(ARGV[8]) then return { 'FULL', count } end

local nodes = nodes_of(room)
if there then unplace(room, peer, there) end
local seat, since = upcoming(room)
local text = place(room, peer, NODE, generation, seat, since, ARGV[7])
redis.call('HSET', key, '.l', ARGV[9])
local body = advance(room, true, 'j', peer .. ' ' .. text, nodes)
tally(room)
return { 'OK', body, redis.call('HGETALL', key) }
