-- Hands a message to some nodes, for all their peers in the room.
--
-- KEYS    epoch
-- ARGV    4 room  5 the step that its sender knew  6 its sender  7 what follows
--         then for each node: node, what the message comes after there
-- Result  OK, how many nodes have it, each with its number there, then each peer that is left out,
--         with the node to send its copy to | HOLD (one of the peers is about to move)
--         | FULL or SETTLING (some may have it) | EPOCH | FENCED
-- Atomic  with all moves. A peer that was on a node at the step that the sender knew, and has moved
--         away since, is left out there and gets a copy where it is now: that node may not be
--         among those named, and where it is, gives the broadcast to nobody who came later.
-- Cost    O(nodes named + moves in the last minute from them in this room).

local no = refused()
if no then return no end

local room, known, from, rest = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local time
local except, copies = {}, {}
for at = 8, #ARGV, 2 do
  local node = ARGV[at]
  local marks = redis.call('HGETALL', K .. 'gone:' .. node .. ':' .. room)
  local without = {}
  for n = 1, #marks, 2 do
    local peer, to, ms, stays = marks[n], string.match(marks[n + 1], '^(%S+) (%d+)(.*)$')
    if to == '~' then
      time = time or now()
      if tonumber(ms) > time then return { 'HOLD' } end
    end
    local was_here = false
    for first, last in string.gmatch(stays, '(%d+)%-(%d+)') do
      was_here = was_here or (tonumber(first) <= known and known < tonumber(last))
    end
    if was_here then
      without[#without + 1] = peer
      copies[#copies + 1] = peer
      copies[#copies + 1] = string.match(to, '^%x+$') or node
    end
  end
  except[at] = #without > 0 and table.concat(without, ',') or '-'
end

local answer, result = 'OK', { 'OK', 0 }
for at = 8, #ARGV, 2 do
  local body = table.concat({ 'm', except[at], from, '*', ARGV[at + 1], rest }, ' ')
  local taken, seq = append(ARGV[at], body, false)
  if seq then
    result[2] = result[2] + 1
    result[#result + 1] = ARGV[at]
    result[#result + 1] = seq
  end
  if taken == 'FULL' then answer = 'FULL' end
  -- A node that is gone took its peers with it; one that is not back yet did not.
  if taken == 'GONE' and not SETTLED and answer == 'OK' then answer = 'SETTLING' end
end
if answer ~= 'OK' then return { answer } end
for _, copy in ipairs(copies) do result[#result + 1] = copy end
return result
