-- Fields of messages: read by their rows, and shown as typed fields that filters know.

local proto = Proto("whorl", "Whorl")
local proto_fields = {}

-- Registers a field; `f.name` is its name in filters.
local function field(make, abbreviation, ...)
  local made = make("whorl." .. abbreviation, ...)
  proto_fields[#proto_fields + 1] = made
  return made
end

local UINTS = { [1] = ProtoField.uint8, [2] = ProtoField.uint16, [4] = ProtoField.uint32, [6] = ProtoField.uint64 }
local register

local REGISTER = {
  uint = function(row, path, label)
    if row.unit == "ms UTC" then
      row.shown = field(ProtoField.absolute_time, path, label, base.UTC)
    else
      row.shown = field(UINTS[row.width], path, label, base.DEC)
    end
  end,
  oneOf = function(row, path, label) row.shown = field(ProtoField.uint8, path, label, base.DEC, row.names) end,
  flags = function(row, path, label)
    row.shown = field(ProtoField.uint8, path, label, base.HEX)
    for _, one in ipairs(row.bits) do
      one.shown = field(ProtoField.bool, path .. "." .. one.name, one.name, 8, nil, one.mask)
    end
  end,
  text = function(row, path, label) row.shown = field(ProtoField.string, path, label) end,
  blob = function(row, path, label) row.shown = field(ProtoField.bytes, path, label) end,
  fixed = function(row, path, label) row.shown = field(ProtoField.bytes, path, label) end,
  list = function(row, path, label)
    row.shown = field(UINTS[row.prefix], path .. ".count", label .. " (count)", base.DEC)
    row.item.name = row.name
    register(row.item, path)
  end,
  group = function(row, path, label)
    row.shown = field(ProtoField.none, path, label)
    for _, member in ipairs(row.fields) do register(member, path .. "." .. member.name) end
  end,
}

register = function(row, path)
  local label = row.name .. (row.unit and row.unit ~= "ms UTC" and " (" .. row.unit .. ")" or "")
  if row.secret then
    row.shown = field(ProtoField.none, path, label)
  else
    REGISTER[row.kind](row, path, label)
  end
end

for _, message in pairs(MESSAGES) do
  for _, row in ipairs(message.fields) do register(row, message.name .. "." .. row.name) end
end

-- Reading: a node is a row, where it stands, and its value or its members' nodes. Errors name the field.
local read

local function take(state, length, row)
  local at = state.at
  if at + length - 1 > #state.text then error({ field = row.name, what = "ends early" }) end
  state.at = at + length
  return at
end

local READ = {
  uint = function(row, state)
    local at = take(state, row.width, row)
    local value = uint(state.text, at, row.width)
    if value < row.min or value > row.max then error({ field = row.name, what = "out of range" }) end
    return { at = at, length = row.width, value = value }
  end,
  oneOf = function(row, state)
    local at = take(state, 1, row)
    local value = state.text:byte(at)
    if row.names[value] == nil then error({ field = row.name, what = "out of range" }) end
    return { at = at, length = 1, value = value, told = row.names[value] }
  end,
  flags = function(row, state)
    local at = take(state, 1, row)
    return { at = at, length = 1, value = state.text:byte(at) }
  end,
  fixed = function(row, state) return { at = take(state, row.length, row), length = row.length } end,
  list = function(row, state)
    local at = take(state, row.prefix, row)
    local count = uint(state.text, at, row.prefix)
    if count > row.max then error({ field = row.name, what = "too long" }) end
    local items = {}
    for i = 1, count do items[i] = read(row.item, state) end
    return { at = at, length = row.prefix, value = count, items = items }
  end,
  group = function(row, state)
    local at, items = state.at, {}
    for i, member in ipairs(row.fields) do items[i] = read(member, state) end
    return { at = at, length = state.at - at, items = items }
  end,
}

local function read_sized(row, state)
  local length = #state.text - state.at + 1
  if row.prefix > 0 then length = uint(state.text, take(state, row.prefix, row), row.prefix) end
  if length > row.max then error({ field = row.name, what = "too long" }) end
  return { at = take(state, length, row), length = length }
end
READ.blob = read_sized
READ.text = function(row, state)
  local node = read_sized(row, state)
  node.told = string.format("%q", state.text:sub(node.at, node.at + node.length - 1))
  return node
end

read = function(row, state)
  local node = READ[row.kind](row, state)
  node.row = row
  return node
end

-- Reads a message's body behind its type. Returns its nodes, and what is wrong with it if anything.
local function read_body(message, payload)
  local state, nodes = { text = payload, at = 2 }, {}
  for i, row in ipairs(message.fields) do
    local sound, node = pcall(read, row, state)
    if not sound then
      if type(node) ~= "table" then error(node) end
      return nodes, node.field .. " " .. node.what, state.at
    end
    nodes[i] = node
  end
  if state.at <= #payload then return nodes, "bytes behind the last field", state.at end
  return nodes, nil, state.at
end

-- A payload without what its rows call secret, and without what nobody can tell the meaning of.
local function without_secrets(payload, nodes, known_to)
  local function blank(text, at, length)
    return text:sub(1, at - 1) .. ("\0"):rep(length) .. text:sub(at + length)
  end
  for _, node in ipairs(nodes) do
    if node.row.secret then payload = blank(payload, node.at, node.length) end
  end
  return blank(payload, known_to, math.max(0, #payload - known_to + 1))
end

local function show_node(tree, range, node)
  local row, where = node.row, range(node.at - 1, node.length)
  if row.secret then
    tree:add(row.shown, where):set_text(row.name .. ": <secret, " .. node.length .. " bytes>")
  elseif row.kind == "group" then
    local branch = tree:add(row.shown, where):set_text(row.name)
    for _, item in ipairs(node.items) do show_node(branch, range, item) end
  elseif row.kind == "list" then
    local branch = tree:add_le(row.shown, where)
    for _, item in ipairs(node.items) do show_node(branch, range, item) end
  elseif row.unit == "ms UTC" then
    tree:add(row.shown, where, NSTime.new(math.floor(node.value / 1000), node.value % 1000 * 1000000))
  elseif row.kind == "uint" or row.kind == "oneOf" then
    tree:add_le(row.shown, where)
  else
    local branch = tree:add(row.shown, where)
    for _, one in ipairs(row.kind == "flags" and row.bits or {}) do branch:add(one.shown, where) end
  end
end

-- The short fields of a message, for the column of what a packet is.
local function summary(nodes)
  local told = {}
  for _, node in ipairs(nodes) do
    local value = node.told or (node.row.kind == "uint" and node.row.unit ~= "ms UTC" and node.value)
    if value then told[#told + 1] = node.row.name .. "=" .. (node.told or string.format("%d", value)) end
  end
  return table.concat(told, " ")
end
