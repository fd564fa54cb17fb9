-- How many peers are in a room.
--
-- KEYS    epoch, room, seats
-- ARGV    4 room
-- Result  OK, count | SETTLING | EPOCH | FENCED
-- Cost    O(1).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end
return { 'OK', math.max(redis.call('HLEN', K .. 'room:' .. ARGV[4]) - 4, 0) }
