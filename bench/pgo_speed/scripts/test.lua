-- What Lua is judged by: JSON, trees, a sieve, a matrix, a tiny machine, lines.
local scale = tonumber(arg[1])
local seed = 7
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end

local function encode(value)
  if type(value) ~= "table" then
    return type(value) == "string" and string.format("%q", value) or
      tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for i, item in ipairs(value) do parts[i] = encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = '"' .. key .. '":' .. encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function decode(text, at)
  local first = text:sub(at, at)
  if first == "[" or first == "{" then
    local result = {}
    at = at + 1
    while not text:find("^[%]}]", at) do
      local key = #result + 1
      if first == "{" then
        key = text:match('^"([^"]*)":', at)
        at = at + #key + 3
      end
      result[key], at = decode(text, at)
      if text:sub(at, at) == "," then at = at + 1 end
    end
    return result, at + 1
  end
  if first == '"' then
    local word = text:match('^"([^"]*)"', at)
    return word, at + #word + 2
  end
  local number = text:match("^[-0-9.]+", at)
  return tonumber(number), at + #number
end

local function document(depth)
  if depth == 0 then
    return random(2) == 0 and random(1000) or "text " .. random(100)
  end
  local result = {}
  for i = 1, 5 do
    if depth % 2 == 0 then
      result[i] = document(depth - 1)
    else
      result["key" .. i] = document(depth - 1)
    end
  end
  return result
end

local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end
local function nodes(of)
  return of.left and 1 + nodes(of.left) + nodes(of.right) or 1
end

local function primes(limit)
  local composite, count = {}, 0
  for i = 2, limit do
    if not composite[i] then
      count = count + 1
      for j = i * i, limit, i do composite[j] = true end
    end
  end
  return count
end

local function product(n)
  local a, b, trace = {}, {}, 0.0
  for i = 1, n do
    a[i], b[i] = {}, {}
    for j = 1, n do a[i][j], b[i][j] = random(10) / 4, random(10) / 8 end
  end
  for i = 1, n do
    local row = a[i]
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do sum = sum + row[k] * b[k][j] end
      if i == j then trace = trace + sum end
    end
  end
  return trace
end

local function machine(steps)
  local stack, operations = {0}, {
    push = function(s, n) s[#s + 1] = n end,
    add = function(s) s[#s - 1] = s[#s - 1] + table.remove(s) end,
    swap = function(s) s[#s], s[#s - 1] = s[#s - 1], s[#s] end,
  }
  local code = {{"push", 3}, {"add"}, {"push", 5}, {"swap"}, {"add"}}
  for i = 0, steps do
    local step = code[i % #code + 1]
    operations[step[1]](stack, step[2])
  end
  return stack[1]
end

local function lines(count)
  local out = {}
  for i = 1, count do
    local line = ("%d;%s;%5.2f"):format(i, ("ab"):rep(random(5)), random(900) / 7)
    out[i] = line:gsub(";", "|"):upper()
  end
  local bytes = 0
  for _, line in ipairs(out) do
    for i = 1, #line do bytes = (bytes * 31 + line:byte(i)) % 1000003 end
  end
  return bytes
end

for _ = 1, scale do
  local text = encode(document(6))
  print(#text, encode((decode(text, 1))) == text)
  print(nodes(tree(14)))
  print(primes(120000))
  print(product(60))
  print(machine(60000))
  print(lines(8000))
end
