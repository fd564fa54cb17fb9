-- Takes a peer out of a room.
--
-- KEYS    epoch, room, seats
-- ARGV    4 room  5 peer  6 generation  7 reason
-- Result  OK, change | NONE | SETTLING | EPOCH | FENCED
-- Atomic  one step. SETTLING rather than NONE while peers are still being brought back: the one
--         in question may come back after this.
-- Cost    O(nodes in the room).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

local room, peer = ARGV[4], ARGV[5]
local old = redis.call('HGET', K .. 'room:' .. room, peer)
if not old then return { 'NONE' } end
local node, generation = member(old)
if generation ~= ARGV[6] then return { 'NONE' } end

local nodes = nodes_of(room)
unplace(room, peer, node)
local body = advance(room, true, 'l', peer .. ' ' .. ARGV[7], nodes)
tally(room)
return { 'OK', body }
