-- How many nodes are in the cluster.
--
-- KEYS    epoch
-- Result  OK, how many leases have not ended | SETTLING | EPOCH | FENCED
-- Cost    O(log nodes).

local no = refused()
if no then return no end
if not SETTLED then return { 'SETTLING' } end
return { 'OK', redis.call('ZCOUNT', K .. 'leases', now(), '+inf') }
