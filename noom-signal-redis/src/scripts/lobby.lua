-- The listed rooms of this partition, the largest first, those of one size by name.
--
-- KEYS    epoch
-- ARGV    4 how many at most
-- Result  OK, then room, minus its count for each | SETTLING | EPOCH | FENCED
-- Cost    O(log rooms + how many).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end
local limit = tonumber(ARGV[4])
if limit < 1 then return { 'OK' } end
local rooms = redis.call('ZRANGE', K .. 'lobby', 0, limit - 1, 'WITHSCORES')
table.insert(rooms, 1, 'OK')
return rooms
