-- Hands a message to some nodes, for all their peers in the room.
--
-- KEYS    epoch
-- ARGV    4 room  5 the step that its sender knew  6 its sender  7 what follows
--         then for each node: node, what the message comes after there
-- Result  OK, then the nodes that have it, with its number there | FULL or SETTLING (some may have it) | EPOCH | FENCED
-- Atomic  with all moves. A peer that moved in a later step than the sender knew is left out on its
--         old node, and gets a copy on its new one: that one may not be among the nodes, and
--         where it is, it may have handled the broadcast before the peer arrived.
-- Cost    O(nodes named + moves in the last minute from them in this room).

local no = refused()
if no then return no end

local room, known, from, rest = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local answer, taken_by = 'OK', {}
for at = 8, #ARGV, 2 do
  local node, after = ARGV[at], ARGV[at + 1]
  local marks = redis.call('HGETALL', K .. 'gone:' .. node .. ':' .. room)
  local except = {}
  for n = 1, #marks, 2 do
    local peer, to, step = marks[n], string.match(marks[n + 1], '^(%x+) (%d+)')
    if tonumber(step) > known then
      except[#except + 1] = peer
      local copy = table.concat({ 'm', '-', from, peer, after, rest }, ' ')
      if append(follow(to, room, peer), copy, false) == 'FULL' then answer = 'FULL' end
    end
  end
  local without = #except > 0 and table.concat(except, ',') or '-'
  local body = table.concat({ 'm', without, from, '*', after, rest }, ' ')
  local taken, seq = append(node, body, false)
  if seq then
    taken_by[#taken_by + 1] = node
    taken_by[#taken_by + 1] = seq
  end
  if taken == 'FULL' then answer = 'FULL' end
  -- A node that is gone took its peers with it; one that is not back yet did not.
  if taken == 'GONE' and not SETTLED and answer == 'OK' then answer = 'SETTLING' end
end
if answer ~= 'OK' then return { answer } end
table.insert(taken_by, 1, answer)
return taken_by
