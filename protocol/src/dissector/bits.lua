-- Arithmetic on 32 bits, whichever Lua this Wireshark has: bit32 (5.2), operators (5.3 and later), bit (others).

local WORD = 4294967296

local function operators()
  return load([[
    local function word(a) return math.tointeger(a % 4294967296) end
    return {
      band = function(a, b) return word(a) & word(b) end,
      bxor = function(a, b) return word(a) ~ word(b) end,
      rshift = function(a, n) return word(a) >> n end,
      lrotate = function(a, n) a = word(a) return (a << n | a >> (32 - n)) & 0xffffffff end,
    }
  ]])()
end

local function signed(lib)
  return {
    band = function(a, b) return lib.band(a, b) % WORD end,
    bxor = function(a, b) return lib.bxor(a, b) % WORD end,
    rshift = function(a, n) return lib.rshift(a, n) % WORD end,
    lrotate = function(a, n) return lib.rol(a, n) % WORD end,
  }
end

local bits = math.tointeger and operators() or bit32 or signed(bit)
local band, bxor, rshift, lrotate = bits.band, bits.bxor, bits.rshift, bits.lrotate

local CRC = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    crc = band(crc, 1) == 1 and bxor(rshift(crc, 1), 0xedb88320) or rshift(crc, 1)
  end
  CRC[byte] = crc
end

-- CRC-32 as zlib has it.
local function crc32(text)
  local crc = 0xffffffff
  for i = 1, #text do
    crc = bxor(rshift(crc, 8), CRC[band(bxor(crc, text:byte(i)), 0xff)])
  end
  return bxor(crc, 0xffffffff)
end

-- A little-endian number of `width` bytes from position `at` on.
local function uint(text, at, width)
  local value = 0
  for i = at + width - 1, at, -1 do
    value = value * 256 + text:byte(i)
  end
  return value
end

local function flag(byte, mask)
  return band(byte, mask) ~= 0
end

-- SPEC section 2: undoes COBS; nil for what is none.
local function unstuffed(text)
  local parts, at, length = {}, 1, #text
  while at <= length do
    local code = text:byte(at)
    local last = at + code - 1
    if code == 0 or last > length then return nil end
    local part = text:sub(at + 1, last)
    if part:find("\0", 1, true) then return nil end
    parts[#parts + 1] = part
    if code ~= 255 and last < length then parts[#parts + 1] = "\0" end
    at = last + 1
  end
  return table.concat(parts)
end
