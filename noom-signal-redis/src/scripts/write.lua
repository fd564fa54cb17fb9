-- Hands a letter to a node.
--
-- KEYS    epoch, of the receiving node's own partition
-- ARGV    4 node  5 the letter
-- Result  OK, that node, its number there | GONE | FULL | SETTLING | EPOCH | FENCED
-- Cost    O(1).

local no = refused()
if no then return no end

local answer, seq = append(ARGV[4], ARGV[5], false)
if answer == 'GONE' and not SETTLED then answer = 'SETTLING' end
return { answer, seq and ARGV[4], seq }
