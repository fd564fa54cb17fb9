-- Which node holds a peer, as far as a room of this partition says.
--
-- KEYS    epoch
-- ARGV    4 peer
-- Result  OK, node, whether it is alive, user and meta | NONE | SETTLING | EPOCH | FENCED
-- Cost    O(rooms of the peer).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end

for _, room in ipairs(redis.call('SMEMBERS', K .. 'where:' .. ARGV[4])) do
  local text = redis.call('HGET', K .. 'room:' .. room, ARGV[4])
  if text then
    local node, _, _, _, tail = member(text)
    local lease = redis.call('ZSCORE', K .. 'leases', node)
    local alive = lease and tonumber(lease) > now()
    return { 'OK', node, alive and 1 or 0, tail }
  end
end
return { 'NONE' }
