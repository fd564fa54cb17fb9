-- The room as it is, once the caller's peers in it are those it says.
--
-- KEYS    epoch, room, seats
-- ARGV    4 room  5, 6, 7 the step, version and token that the caller knew  8 listed
--         then for each peer: peer, generation, seat, since, user and meta
-- Result  OK, members | SETTLING (they are in, the others' may not be) | EPOCH | FENCED
-- Atomic  all of it.
-- Cost    O(members + nodes in the room * changes).
--
-- A token begins with the epoch it was given in. Where the caller's is of another one, the store has
-- lost what it knew: the caller's peers come back with the `since` they had, and the numbers go
-- on above those in use. While the epoch is not settled nobody has a roster of it, so nobody is told.

local no = refused()
if no then return no end

local room = ARGV[4]
local key = K .. 'room:' .. room
local lost = ARGV[7] ~= ZERO and string.sub(ARGV[7], 1, 8) ~= EPOCH
local wanted = {}
for at = 9, #ARGV, 5 do wanted[ARGV[at]] = ARGV[at + 1] end

local all = redis.call('HGETALL', key)
local here = {}
for at = 1, #all, 2 do
  local peer = all[at]
  if string.sub(peer, 1, 1) ~= '.' then
    local node, generation = member(all[at + 1])
    if node == NODE and wanted[peer] ~= generation then
      local nodes = nodes_of(room)
      unplace(room, peer, node)
      advance(room, true, 'l', peer .. ' lost', nodes)
    else
      here[peer] = true
    end
  end
end

if lost and (#ARGV > 8 or #all > 0) then
  local step, version = tonumber(ARGV[5]), tonumber(ARGV[6])
  for at = 9, #ARGV, 5 do
    step = math.max(step, tonumber(ARGV[at + 2]))
    version = math.max(version, tonumber(ARGV[at + 3]))
  end
  local stamp = redis.call('HMGET', key, '.s', '.v')
  if tonumber(stamp[1] or 0) <= step then
    local above = math.max(tonumber(stamp[2] or 0), version + 1)
    redis.call('HSET', key, '.s', step + 1, '.v', above, '.t', token())
    if SETTLED then
      -- Late: others have a roster already, and no step leads from theirs to this one.
      for _, node in ipairs(nodes_of(room)) do
        if node ~= NODE then append(node, 'g', true) end
      end
    end
  end
end

for at = 9, #ARGV, 5 do
  local peer, since = ARGV[at], ARGV[at + 3]
  local newcomer = since == '0'
  if not here[peer] and ((newcomer and SETTLED) or (not newcomer and lost)) then
    local seat, version = upcoming(room)
    if newcomer then since = version end
    local text = place(room, peer, NODE, ARGV[at + 1], seat, since, ARGV[at + 4])
    advance(room, true, 'j', peer .. ' ' .. text, nodes_of(room))
  end
end

if redis.call('EXISTS', key) == 1 then
  if lost and ARGV[8] == '1' then
    redis.call('HSET', key, '.l', '1')
  else
    redis.call('HSETNX', key, '.l', '0')
  end
  tally(room)
end
if not SETTLED then return { 'SETTLING' } end
return { 'OK', redis.call('HGETALL', key) }
