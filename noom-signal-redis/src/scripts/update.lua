-- Replaces a peer's meta.
--
-- KEYS    epoch, room, seats
-- ARGV    4 room  5 peer  6 generation  7 meta
-- Result  OK, change | NONE | SETTLING | EPOCH | FENCED
-- Atomic  one step.
-- Cost    O(nodes in the room).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

local room, peer, meta = ARGV[4], ARGV[5], ARGV[7]
local key = K .. 'room:' .. room
local old = redis.call('HGET', key, peer)
if not old then return { 'NONE' } end
local node, generation, seat, since, tail = member(old)
if generation ~= ARGV[6] then return { 'NONE' } end

local length, rest = string.match(tail, '^(%-?%d+) (.*)$')
local user = string.sub(rest, 1, math.max(tonumber(length), 0))
local text = table.concat({ node, generation, seat, since, length, user .. meta }, ' ')
redis.call('HSET', key, peer, text)
return { 'OK', advance(room, true, 'u', peer .. ' ' .. meta, nodes_of(room)) }
