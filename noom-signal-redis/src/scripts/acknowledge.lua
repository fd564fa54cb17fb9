-- Takes in how far the caller has read its inbox.
--
-- KEYS    epoch
-- ARGV    4, 5 the number of the last entry it handled, and the bytes up to it  6 whether it has
--         taken note of a gap: from now on its inbox takes entries again
-- Result  OK | EPOCH | FENCED
-- Cost    O(entries freed).

local no = refused()
if no then return no end
acknowledge(ARGV[4], ARGV[5])
if ARGV[6] == '1' then redis.call('HSET', K .. 'node:' .. NODE, 'gap', '0') end
return { 'OK' }
