-- Hands a message to the node that holds its target.
--
-- KEYS    epoch
-- ARGV    4 room  5 peer  6 node  7 the message
-- Result  OK, the node, its number there | ELSEWHERE, the node that the target moved to: ask again
--         for that one, since what a message comes after depends on where it goes | HOLD (it is
--         about to move) | GONE | FULL | SETTLING | EPOCH | FENCED
-- Atomic  with the target's moves: it is in the inbox of the node that holds the target now.
-- Cost    O(1), one inbox, one delivery, whatever the size of the cluster.

local no = refused()
if no then return no end

local node = follow(ARGV[6], ARGV[4], ARGV[5])
if not node then return { 'HOLD' } end
if node ~= ARGV[6] then return { 'ELSEWHERE', node } end
local answer, seq = append(node, ARGV[7], false)
if answer == 'GONE' and not SETTLED then answer = 'SETTLING' end
return { answer, seq and node, seq }
