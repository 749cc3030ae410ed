-- Sorts: table.sort by a comparison, a binary heap, a permutation with a known seed.
local seed = 12345
local function random(n)
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return seed // 65536 % n + 1
end
local list = {}
for i = 1, 300 do list[i] = i end
for i = #list, 2, -1 do
  local j = random(i)
  list[i], list[j] = list[j], list[i]
end
print(table.concat(list, " ", 1, 12))

local sorted = { table.unpack(list) }
table.sort(sorted, function(a, b) return a % 10 < b % 10 or (a % 10 == b % 10 and a > b) end)
print(table.concat(sorted, " ", 1, 12), sorted[300])

local heap = {}
local function push(value)
  local at = #heap + 1
  heap[at] = value
  while at > 1 and heap[at // 2] > heap[at] do
    heap[at], heap[at // 2] = heap[at // 2], heap[at]
    at = at // 2
  end
end
local function pop()
  local least, last = heap[1], table.remove(heap)
  if #heap == 0 then return least end
  local at = 1
  heap[1] = last
  while 2 * at <= #heap do
    local child = 2 * at
    if child < #heap and heap[child + 1] < heap[child] then child = child + 1 end
    if heap[at] <= heap[child] then break end
    heap[at], heap[child] = heap[child], heap[at]
    at = child
  end
  return least
end
for _, value in ipairs(list) do push(value) end
local in_order, sum = true, 0
for i = 1, 300 do
  local value = pop()
  in_order = in_order and value == i
  sum = (sum * 31 + value) % 1000003
end
print(in_order, sum, #heap)
