-- What Lua is trained with: words, queens, shapes, a memo, a grid.
local scale = tonumber(arg[1])
local seed = 42
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end

local function words(count)
  local text = {}
  for i = 1, count do
    local word = {}
    for j = 1, 2 + random(6) do
      word[j] = string.char(97 + random(12))
    end
    text[i] = table.concat(word)
  end
  local counts = {}
  for word in table.concat(text, " "):gmatch("%a+") do
    counts[word] = (counts[word] or 0) + 1
  end
  local order = {}
  for word in pairs(counts) do
    order[#order + 1] = word
  end
  table.sort(order, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  return order[1], counts[order[1]], #order
end

local function queens(n, row, columns, up, down)
  if row > n then return 1 end
  local found = 0
  for column = 1, n do
    if not (columns[column] or up[row + column] or down[row - column]) then
      columns[column], up[row + column], down[row - column] = true, true, true
      found = found + queens(n, row + 1, columns, up, down)
      columns[column], up[row + column], down[row - column] = nil, nil, nil
    end
  end
  return found
end

local Shape = {}
Shape.__index = Shape
function Shape.new(width, height)
  return setmetatable({width = width, height = height}, Shape)
end
function Shape:area() return self.width * self.height end
local Circle = setmetatable({}, {__index = Shape})
Circle.__index = Circle
function Circle.new(radius)
  return setmetatable({radius = radius}, Circle)
end
function Circle:area() return 3.125 * self.radius * self.radius end

local function shapes(count)
  local all = {}
  for i = 1, count do
    all[i] = random(2) == 0 and Shape.new(random(9), random(9)) or
      Circle.new(random(9))
  end
  local sum = 0
  for _, shape in ipairs(all) do sum = sum + shape:area() end
  return sum
end

local function memo(f)
  local known = {}
  return function(n)
    local value = known[n]
    if value == nil then
      value = f(n)
      known[n] = value
    end
    return value
  end
end

local function steps(limit)
  local collatz
  collatz = memo(function(n)
    if n == 1 then return 0 end
    return 1 + collatz(n % 2 == 0 and n // 2 or 3 * n + 1)
  end)
  local best = 0
  for n = 1, limit do best = math.max(best, collatz(n)) end
  return best
end

local function grid(size, turns)
  local cells = {}
  for i = 1, size * size do cells[i] = random(2) end
  for _ = 1, turns do
    local next_cells = {}
    for i = 1, size * size do
      local near = (cells[i - 1] or 0) + (cells[i + 1] or 0) +
        (cells[i - size] or 0) + (cells[i + size] or 0)
      next_cells[i] = (near == 2 or near + cells[i] == 3) and 1 or 0
    end
    cells = next_cells
  end
  local sum = 0
  for i = 1, #cells do sum = sum + cells[i] * i end
  return sum
end

for _ = 1, scale do
  print(words(20000))
  print(queens(7, 1, {}, {}, {}))
  print(shapes(50000))
  print(steps(12000))
  print(grid(60, 15))
end
