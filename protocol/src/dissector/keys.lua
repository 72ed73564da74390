-- SPEC section 11: keys of a key file, tried until one makes a frame's tag.

local FRAMES_PER_KEY = 65536
local MOST_EPOCHS = 512
-- Trying them all takes a while in Lua, and only the sessions with which a capture begins can need it.
local FAR_SEARCHES = 4

local ring, ring_trouble = {}, nil
-- What was opened, by packet: packets are shown again in any order, but keys are found in the order of the capture.
local opened_packets = {}

local function key_words(hex)
  if hex == nil or #hex ~= 64 or hex:find("%X") then return nil end
  return words((hex:gsub("..", function(byte) return string.char(tonumber(byte, 16)) end)))
end

local function add_key(list, key, address, from_terminal, first)
  table.insert(list, 1, {
    keys = { [first] = key }, last = first, first = first, newest = -1, searches = FAR_SEARCHES,
    address = address, from_terminal = from_terminal,
  })
end

local function read_line(list, line)
  local kind, _, number, one, two = line:match("^%s*(%S+)%s+(%S+)%s+(%d+)%s+(%x+)%s*(%x*)%s*$")
  local key = key_words(one)
  if kind == "session" and key and key_words(two) then
    add_key(list, key, tonumber(number), false, 0)
    add_key(list, key_words(two), tonumber(number), true, 0)
  elseif kind == "group" and key and two == "" then
    add_key(list, key, 0, false, tonumber(number))
  else
    return false
  end
  return true
end

-- Reads a key file anew; trouble with it is told at each frame that it should have opened.
local function load_keys(path)
  ring, ring_trouble, opened_packets = {}, nil, {}
  if path == "" then return end
  local file = io.open(path, "r")
  if file == nil then
    ring_trouble = "the key file cannot be read"
    return
  end
  local number = 0
  for line in file:lines() do
    number = number + 1
    if not line:match("^%s*#") and not line:match("^%s*$") and not read_line(ring, line) then
      ring_trouble = "the key file has something else in line " .. number
    end
  end
  file:close()
end

local function key_at(entry, epoch)
  for made = entry.last + 1, epoch do
    entry.keys[made] = rekeyed(entry.keys[made - 1])
    entry.last = made
  end
  return entry.keys[epoch]
end

-- Renewals of its key that a frame may be of: those near its counter, or all others.
local function epochs(entry, far)
  local near = math.max(entry.first, math.floor(entry.newest / FRAMES_PER_KEY))
  if not far then return { near, near + 1, near > entry.first and near - 1 or nil } end
  local list = {}
  if entry.newest < 0 and entry.searches > 0 then
    entry.searches = entry.searches - 1
    for epoch = near + 2, near + MOST_EPOCHS - 1 do list[#list + 1] = epoch end
  end
  return list
end

-- Opens a frame with an entry of the ring.
local function open_with(entry, parts, far)
  for _, epoch in ipairs(epochs(entry, far)) do
    local counter = epoch * FRAMES_PER_KEY + parts.low
    local payload = open_sealed(key_at(entry, epoch), counter, parts.head, parts.sealed, parts.tag)
    if payload then
      entry.newest = math.max(entry.newest, counter)
      return { payload = payload, counter = counter }
    end
  end
  return nil
end

local function search(header, parts, far)
  for at, entry in ipairs(ring) do
    if entry.address == header.address and entry.from_terminal == header.from_terminal then
      local opened = open_with(entry, parts, far)
      if opened then
        table.insert(ring, 1, table.remove(ring, at))
        return opened
      end
    end
  end
  return nil
end

-- Opens a sealed frame, its stuffing undone; nil when no key does.
local function open_frame(frame, header, number)
  local known = opened_packets[number]
  if known ~= nil then return known or nil end
  local from = header.from_terminal and 6 or 4
  local parts = {
    low = uint(frame, from - 1, 2),
    head = string.char(band(frame:byte(1), 0xfb)) .. frame:sub(2, from),
    sealed = frame:sub(from + 1, -9),
    tag = frame:sub(-8),
  }
  local opened = search(header, parts, false) or search(header, parts, true)
  opened_packets[number] = opened or false
  return opened
end
