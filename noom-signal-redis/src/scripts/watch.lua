-- Whether the epoch still is what the caller takes it for, and is settled. Settles it when it is time.
--
-- KEYS    epoch
-- ARGV    4 whether the caller has brought back all its peers
-- Result  OK, settled | EPOCH | FENCED
-- Cost    O(1).

local no = refused()
if no then return no end
local epoch = redis.call('HMGET', KEYS[1], 'run', 'at', 'settle')
if epoch[1] ~= run() then return { 'EPOCH' } end
if not SETTLED then
  if ARGV[4] == '1' then redis.call('SREM', K .. 'open', NODE) end
  if now() - epoch[2] >= tonumber(epoch[3]) and redis.call('SCARD', K .. 'open') == 0 then
    redis.call('HSET', KEYS[1], 'settled', '1')
    SETTLED = true
  end
end
return { 'OK', SETTLED and 1 or 0 }
