-- Hands a message to some nodes, for all their peers in the room.
--
-- KEYS    epoch
-- ARGV    4 room  5 the step that its sender knew  6 its sender  7 what follows
--         then for each node: node, what the message comes after there
-- Result  OK, then the nodes that have it, with its number there | FULL or SETTLING (some may have it) | EPOCH | FENCED
-- Atomic  with all moves. A peer that was on a node at the step that the sender knew, and has moved
--         away since, is left out there and gets a copy where it is now: that node may not be
--         among those named, and where it is, gives the broadcast to nobody who came later.
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
    local peer, mark = marks[n], marks[n + 1]
    local was_here = false
    for first, last in string.gmatch(mark, '(%d+)%-(%d+)') do
      was_here = was_here or (tonumber(first) <= known and known < tonumber(last))
    end
    if was_here then
      except[#except + 1] = peer
      local to = string.match(mark, '^%x+') or node
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
