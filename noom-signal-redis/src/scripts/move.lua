-- Moves a peer to another node, in its rooms of this partition.
--
-- KEYS    epoch
-- ARGV    4 peer  5 its new generation  6 the node it goes to  7 hand | take
--         then, for hand: room, generation, for each stay; take is for all its rooms
-- Result  OK, the last number of the caller's inbox, then change, members for each room | GONE (the
--         node it goes to) | SETTLING | EPOCH | FENCED
-- Atomic  in this partition: the step, and the mark that sends later messages after the peer.
--         All that was accepted for it before is in the old node's inbox by now, up to the number
--         returned. Room, mark and the inboxes of a room are in one partition for just this reason.
-- Cost    O(rooms * (nodes in it, + members where taken)).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

local peer, generation, to = ARGV[4], ARGV[5], ARGV[6]
local taken = ARGV[7] == 'take'
if redis.call('EXISTS', K .. 'node:' .. to) == 0 then return { 'GONE' } end

local stays = {}
if taken then
  for _, room in ipairs(redis.call('SMEMBERS', K .. 'where:' .. peer)) do
    stays[#stays + 1] = { room }
  end
else
  for at = 8, #ARGV, 2 do stays[#stays + 1] = { ARGV[at], ARGV[at + 1] } end
end

local result = { 'OK', 0 }
local time = now()
for _, stay in ipairs(stays) do
  local room = stay[1]
  local key = K .. 'room:' .. room
  local text = redis.call('HGET', key, peer)
  local node, former, came, since, tail
  if text then node, former, came, since, tail = member(text) end
  if text and (taken or (node == NODE and former == stay[2])) then
    local nodes = nodes_of(room)
    if redis.call('HEXISTS', K .. 'seats:' .. room, to) == 0 then nodes[#nodes + 1] = to end
    local seat = upcoming(room)
    unplace(room, peer, node)
    place(room, peer, to, generation, seat, since, tail)
    if node ~= to then
      local marks = K .. 'gone:' .. node .. ':' .. room
      if redis.call('HLEN', marks) >= 256 then
        -- A room where peers move all the time: those of more than a minute ago go.
        local old = redis.call('HGETALL', marks)
        for at = 1, #old, 2 do
          local moved = tonumber(string.match(old[at + 1], '^%S+ (%d+)'))
          if moved < time - 60000 then redis.call('HDEL', marks, old[at]) end
        end
      end
      -- The last sixteen times that it was here are enough for what is still on its way.
      local stays = { came .. '-' .. seat }
      for stay in string.gmatch(redis.call('HGET', marks, peer) or '', '%d+%-%d+') do
        if #stays < 16 then stays[#stays + 1] = stay end
      end
      local mark = { to, string.format('%.0f', time), table.concat(stays, ' ') }
      redis.call('HSET', marks, peer, table.concat(mark, ' '))
      redis.call('PEXPIRE', marks, 60000)
    end
    local change = peer .. ' ' .. generation .. ' ' .. to
    result[#result + 1] = advance(room, false, 'm', change, nodes)
    result[#result + 1] = taken and redis.call('HGETALL', key) or {}
  end
end
result[2] = tonumber(redis.call('HGET', K .. 'node:' .. NODE, 'seq'))
return result
