-- Put before every other script: names, the caller's admission, the steps of a room, the inboxes.
--
-- KEYS[1]  PREFIX:{P}:epoch, a hash: which epoch it is in this partition, and since when
-- ARGV[1]  the calling node, 16 hex digits
-- ARGV[2]  the epoch it believes in, 8 hex digits
-- ARGV[3]  PUBLISH, or SPUBLISH in a cluster
--
-- All other keys are made from KEYS[1] and so share its hash tag: which inboxes a step writes to is
-- known only from the roster. Scripts name the keys of the room they change, too, so that Redis
-- Cluster refuses them while that slot is on its way to another server.
--
-- Keys of an epoch E, each after PREFIX:{P}:E:
--   leases         zset  node -> when its lease ends, by this server's clock, in ms
--   dead           set   nodes whose peers are being taken out
--   open           set   nodes that have not brought back all their peers yet
--   node:NODE      hash  the state of its inbox; there for as long as it may be written to
--   inbox:NODE     stream  its inbox; ids are SEQ-0 without a hole
--   peers:NODE     set   "PEER ROOM" of all its peers
--   where:PEER     set   the rooms it is in
--   room:ROOM      hash  .s step, .v version, .t token, .l listed; PEER -> member
--   seats:ROOM     hash  node -> how many of its peers are in the room
--   lobby          zset  listed room -> minus its number of peers
--   gone:NODE:ROOM hash  peer that moved away of late -> "TO MS FROM-UNTIL…": where it went (- if it
--                        is back, ~ if it is about to go, until MS), when, and the steps between
--                        which it was here, each time
--
-- A member is "NODE GENERATION SEAT SINCE USERLEN USER…META": only Rust reads what follows SINCE.

local BASE = string.sub(KEYS[1], 1, -6)
local NODE, EPOCH, PUBLISH = ARGV[1], ARGV[2], ARGV[3]
local K = BASE .. EPOCH .. ':'
local ZERO = '0000000000000000'
local SETTLED = false

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Which run of which server this is: another one may have lost what was written last.
local function run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- Nil, or why the caller may not go on: it is of another epoch, or was taken for dead.
local function refused()
  local epoch = redis.call('HMGET', KEYS[1], 'id', 'settled')
  if epoch[1] ~= EPOCH then return { 'EPOCH' } end
  if not redis.call('ZSCORE', K .. 'leases', NODE) then return { 'FENCED' } end
  SETTLED = epoch[2] == '1'
end

-- Puts an entry into a node's inbox and tells the node: 'OK' and its number, 'GONE', or 'FULL'. What must not
-- be left out is `vital`: over the limit, one entry says in place of all that follow that
-- something is missing, until the node has taken note of it.
local function append(node, body, vital)
  local key = K .. 'node:' .. node
  local inbox = redis.call('HMGET', key, 'seq', 'bytes', 'ack', 'acked', 'gap', 'entries', 'limit')
  if not inbox[1] then return 'GONE' end
  if inbox[5] == '1' then return 'FULL' end
  local waiting, bytes = inbox[1] - inbox[3], inbox[2] - inbox[4] + #body
  if waiting >= tonumber(inbox[6]) or bytes > tonumber(inbox[7]) then
    if not vital then return 'FULL' end
    body = 'g'
    redis.call('HSET', key, 'gap', '1')
  end
  local seq = redis.call('HINCRBY', key, 'seq', 1)
  local total = redis.call('HINCRBY', key, 'bytes', #body)
  redis.call('XADD', K .. 'inbox:' .. node, seq .. '-0', 'n', total, 'b', body)
  redis.call(PUBLISH, BASE .. 'to:' .. node, EPOCH .. ' ' .. seq .. ' ' .. total .. ' ' .. body)
  return 'OK', seq
end

-- The node has handled its inbox up to `seq`, `bytes` in all.
local function acknowledge(seq, bytes)
  redis.call('HSET', K .. 'node:' .. NODE, 'ack', seq, 'acked', bytes)
  redis.call('XTRIM', K .. 'inbox:' .. NODE, 'MINID', '~', (seq + 1) .. '-0')
end

local function member(text)
  return string.match(text, '^(%x+) (%d+) (%d+) (%d+) (.*)$')
end

local function nodes_of(room)
  return redis.call('HKEYS', K .. 'seats:' .. room)
end

-- The step and version that a room's next change leads to.
local function upcoming(room)
  local stamp = redis.call('HMGET', K .. 'room:' .. room, '.s', '.v')
  return (stamp[1] or 0) + 1, (stamp[2] or 0) + 1
end

local function token()
  local count = redis.call('HINCRBY', KEYS[1], 'count', 1) % 4294967296
  return EPOCH .. string.format('%08x', count)
end

-- Seats a peer; returns its text.
local function place(room, peer, node, generation, seat, since, tail)
  local text = table.concat({ node, generation, seat, since, tail }, ' ')
  redis.call('HSET', K .. 'room:' .. room, peer, text)
  redis.call('HINCRBY', K .. 'seats:' .. room, node, 1)
  redis.call('SADD', K .. 'peers:' .. node, peer .. ' ' .. room)
  redis.call('SADD', K .. 'where:' .. peer, room)
  -- It is (back) here; that it was away, a broadcast of that time still has to know.
  local marks = K .. 'gone:' .. node .. ':' .. room
  local mark = redis.call('HGET', marks, peer)
  if mark then redis.call('HSET', marks, peer, (string.gsub(mark, '^%S+', '-'))) end
  return text
end

local function unplace(room, peer, node)
  redis.call('HDEL', K .. 'room:' .. room, peer)
  if redis.call('HINCRBY', K .. 'seats:' .. room, node, -1) <= 0 then
    redis.call('HDEL', K .. 'seats:' .. room, node)
  end
  redis.call('SREM', K .. 'peers:' .. node, peer .. ' ' .. room)
  redis.call('SREM', K .. 'where:' .. peer, room)
end

-- Makes the next step and tells it to each of `nodes` but the caller, or, with `everyone`, to the
-- caller too. Nobody is told while the epoch is not settled: no node has a roster of it yet.
local function advance(room, told, kind, rest, nodes, everyone)
  local key = K .. 'room:' .. room
  local was = redis.call('HMGET', key, '.v', '.t')
  local step = redis.call('HINCRBY', key, '.s', 1)
  local version = (was[1] or 0) + (told and 1 or 0)
  local name = token()
  redis.call('HSET', key, '.v', version, '.t', name)
  local stamps = { 'c', kind, step, version, name, was[1] or 0, was[2] or ZERO, #room }
  local body = table.concat(stamps, ' ') .. ' ' .. room .. ' ' .. rest
  if SETTLED then
    for _, node in ipairs(nodes) do
      if everyone or node ~= NODE then append(node, body, true) end
    end
  end
  return body
end

-- After a step: the lobby's count, and a room without members is forgotten.
local function tally(room)
  local key = K .. 'room:' .. room
  local count = redis.call('HLEN', key) - 4
  if count <= 0 then
    redis.call('DEL', key, K .. 'seats:' .. room)
    redis.call('ZREM', K .. 'lobby', room)
  elseif redis.call('HGET', key, '.l') == '1' then
    redis.call('ZADD', K .. 'lobby', -count, room)
  else
    redis.call('ZREM', K .. 'lobby', room)
  end
end

-- The node where a message for that peer has to go, if it moved away from `node`. Nil where it is about
-- to. The bound is only there to end: a peer that comes back to a node changes its mark.
local function follow(node, room, peer)
  for _ = 1, 16 do
    local mark = redis.call('HGET', K .. 'gone:' .. node .. ':' .. room, peer)
    if not mark then break end
    local to, ms = string.match(mark, '^(%S+) (%d+)')
    if to == '~' and tonumber(ms) > now() then return nil end
    if to == '~' or to == '-' then break end
    node = to
  end
  return node
end

