-- Tables, metatables, closures.
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return Vector.new(a.x + b.x, a.y + b.y) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__lt = function(a, b) return a:norm() < b:norm() end
Vector.__tostring = function(v) return "(" .. v.x .. ", " .. v.y .. ")" end
Vector.__call = function(v, k) return Vector.new(v.x * k, v.y * k) end
function Vector.new(x, y) return setmetatable({ x = x, y = y }, Vector) end
function Vector:norm() return self.x * self.x + self.y * self.y end
local v, w = Vector.new(1, 2), Vector.new(3, 4)
print(tostring(v + w), v == Vector.new(1, 2), v < w, tostring(v(10)))

local function counter(step)
  local n = 0
  return function() n = n + step; return n end
end
local by2, by5 = counter(2), counter(5)
print(by2(), by2(), by5(), by2(), by5())

local function permutations(list, n, each)
  if n == 1 then return each(table.concat(list)) end
  for i = 1, n do
    list[n], list[i] = list[i], list[n]
    permutations(list, n - 1, each)
    list[n], list[i] = list[i], list[n]
  end
end
local all = {}
permutations({ "a", "b", "c", "d" }, 4, function(word) all[#all + 1] = word end)
table.sort(all)
print(#all, all[1], all[12], all[24])

local squares = setmetatable({}, { __index = function(t, k) local s = k * k; rawset(t, k, s); return s end })
local sum = 0
for i = 1, 50 do sum = sum + squares[i] end
print(sum, rawget(squares, 50), rawget(squares, 51))
print(select("#", table.unpack({ 1, 2, nil, 4 }, 1, 4)), (select(-1, "a", "b", "c")))
local copy = table.move({ 1, 2, 3, 4, 5 }, 2, 5, 1)
print(table.concat(copy, " "), table.remove(copy, 1), #copy, next({}), math.type(3), math.type(3.0))
goto done
print("skipped")
::done::
