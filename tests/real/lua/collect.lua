-- The collector: garbage, weak tables, finalizers.
local finalized = 0
local function finalizable() return setmetatable({}, { __gc = function() finalized = finalized + 1 end }) end
local weak = setmetatable({}, { __mode = "v" })
local kept = {}
for i = 1, 60 do
  local object = finalizable()
  weak[i] = object
  if i % 4 == 0 then kept[#kept + 1] = object end
end
collectgarbage()
collectgarbage()
local alive = 0
for _ in pairs(weak) do alive = alive + 1 end
print("alive", alive, "finalized", finalized)
kept = nil
collectgarbage()
collectgarbage()
print("finalized", finalized, next(weak))

-- Garbage in generations of lists: more than the memory would hold at once.
local total = 0
for round = 1, 40 do
  local list = nil
  for i = 1, 60 do list = { value = i * round, rest = list } end
  while list do total = total + list.value; list = list.rest end
end
print("total", total)
collectgarbage("incremental")
local keys = setmetatable({}, { __mode = "k" })
for i = 1, 20 do keys[{}] = i end
collectgarbage()
print("weak keys", next(keys))
