-- Wireshark's dissector for the protocol between gateway and terminals: SPEC.md, section 11, says how it is used.
-- Printed from the rows that the code runs on and from src/dissector by `npm run spec`: change those.

-- Messages by type, with their fields in the order in which they stand on the wire.

local MESSAGES = {
  [0x04] = { name = "discover", fields = {} },
  [0x84] = { name = "present", fields = {
    { name = "serial", kind = "text", prefix = 1, max = 32 },
    { name = "key", kind = "fixed", length = 8 },
  } },
  [0x05] = { name = "session.open", fields = {
    { name = "handshake", kind = "fixed", length = 48 },
  } },
  [0x85] = { name = "session.accept", fields = {
    { name = "handshake", kind = "fixed", length = 48 },
  } },
  [0x07] = { name = "pair.begin", fields = {
    { name = "id", kind = "fixed", length = 16 },
    { name = "share", kind = "fixed", length = 32 },
  } },
  [0x87] = { name = "pair.share", fields = {
    { name = "share", kind = "fixed", length = 32 },
  } },
  [0x08] = { name = "pair.open", fields = {
    { name = "handshake", kind = "fixed", length = 48 },
  } },
  [0x88] = { name = "pair.accept", fields = {
    { name = "handshake", kind = "fixed", length = 48 },
  } },
  [0x09] = { name = "pair.key", fields = {
    { name = "key", kind = "fixed", length = 32, secret = true },
  } },
  [0x89] = { name = "pair.kept", fields = {} },
  [0x06] = { name = "group.set", fields = {
    { name = "key", kind = "fixed", length = 32, secret = true },
    { name = "next", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0x86] = { name = "group.taken", fields = {} },
  [0x01] = { name = "hello", fields = {} },
  [0x81] = { name = "welcome", fields = {
    { name = "serial", kind = "text", prefix = 1, max = 32 },
    { name = "model", kind = "text", prefix = 1, max = 32 },
    { name = "firmware", kind = "text", prefix = 1, max = 24 },
    { name = "boots", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "clock", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" },
    { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "table", kind = "fixed", length = 16 },
    { name = "log", kind = "group", fields = { { name = "epoch", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "first", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "last", kind = "uint", width = 4, min = 0, max = 4294967295 } } },
    { name = "capabilities", kind = "group", fields = { { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "logs", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "cards", kind = "uint", width = 1, min = 0, max = 8 }, { name = "fingers", kind = "uint", width = 1, min = 0, max = 10 }, { name = "faces", kind = "uint", width = 1, min = 0, max = 5 }, { name = "does", kind = "flags", bits = { { name = "patches", mask = 1 }, { name = "portable", mask = 2 }, { name = "clock", mask = 4 } } }, { name = "holds", kind = "flags", bits = { { name = "validity", mask = 1 }, { name = "pin", mask = 2 }, { name = "authMode", mask = 4 }, { name = "groups", mask = 8 }, { name = "photo", mask = 16 } } }, { name = "cardFormats", kind = "list", prefix = 1, max = 16, item = { kind = "uint", width = 1, min = 0, max = 255 } }, { name = "fingerFormats", kind = "list", prefix = 1, max = 16, item = { kind = "uint", width = 1, min = 0, max = 255 } }, { name = "faceFormats", kind = "list", prefix = 1, max = 16, item = { kind = "uint", width = 1, min = 0, max = 255 } }, { name = "mtu", kind = "uint", width = 2, min = 256, max = 1100, unit = "bytes" }, { name = "window", kind = "uint", width = 1, min = 1, max = 64 } } },
  } },
  [0x02] = { name = "poll", fields = {} },
  [0x82] = { name = "idle", fields = {} },
  [0x03] = { name = "roll.call", fields = {
    { name = "number", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "slot", kind = "uint", width = 2, min = 1, max = 65535, unit = "10 µs" },
    { name = "first", kind = "uint", width = 1, min = 1, max = 247 },
    { name = "members", kind = "list", prefix = 1, max = 31, item = { kind = "uint", width = 1, min = 0, max = 255 } },
  } },
  [0x8f] = { name = "refused", fields = {
    { name = "request", kind = "uint", width = 1, min = 0, max = 255 },
    { name = "reason", kind = "oneOf", names = { [1] = "no-session", [2] = "unknown-message", [3] = "malformed", [4] = "busy", [5] = "no-such-user", [6] = "no-such-transfer", [7] = "capacity-full", [8] = "format-mismatch", [9] = "too-large", [10] = "incomplete", [11] = "corrupt", [12] = "flash-failed", [13] = "changed-here", [14] = "not-pairing", [15] = "wrong-code", [16] = "other-base", [17] = "no-such-slice", [18] = "other-table", [19] = "unsent-changes", [20] = "no-such-file" } },
  } },
  [0x10] = { name = "logs.read", fields = {
    { name = "after", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0x90] = { name = "logs.page", fields = {
    { name = "log", kind = "group", fields = { { name = "epoch", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "first", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "last", kind = "uint", width = 4, min = 0, max = 4294967295 } } },
    { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "records", kind = "list", prefix = 1, max = 50, item = { kind = "group", fields = { { name = "id", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "time", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" }, { name = "code", kind = "uint", width = 2, min = 0, max = 65535 }, { name = "origin", kind = "oneOf", names = { [0] = "terminal", [1] = "gateway" } }, { name = "user", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "detail", kind = "uint", width = 2, min = 0, max = 65535 } } } },
  } },
  [0x11] = { name = "clock.set", fields = {
    { name = "clock", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" },
  } },
  [0x91] = { name = "clock.was", fields = {
    { name = "clock", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" },
  } },
  [0x12] = { name = "clock.read", fields = {} },
  [0x92] = { name = "clock.is", fields = {
    { name = "clock", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" },
  } },
  [0x20] = { name = "user.pull", fields = {
    { name = "user", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "known", kind = "list", prefix = 1, max = 24, item = { kind = "group", fields = { { name = "field", kind = "uint", width = 1, min = 0, max = 255 }, { name = "digest", kind = "fixed", length = 8 } } } },
  } },
  [0x21] = { name = "users.remove", fields = {
    { name = "users", kind = "list", prefix = 1, max = 50, item = { kind = "uint", width = 4, min = 0, max = 4294967295 } },
    { name = "after", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0xa1] = { name = "users.removed", fields = {
    { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0x22] = { name = "users.digests", fields = {
    { name = "after", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0xa2] = { name = "users.page", fields = {
    { name = "table", kind = "fixed", length = 16 },
    { name = "users", kind = "list", prefix = 1, max = 50, item = { kind = "group", fields = { { name = "id", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "digest", kind = "fixed", length = 16 } } } },
  } },
  [0x23] = { name = "sketch.read", fields = {
    { name = "from", kind = "uint", width = 2, min = 0, max = 4095 },
    { name = "count", kind = "uint", width = 1, min = 1, max = 80 },
  } },
  [0xa3] = { name = "sketch.page", fields = {
    { name = "table", kind = "fixed", length = 16 },
    { name = "symbols", kind = "blob", prefix = 0, max = 960 },
  } },
  [0x30] = { name = "transfer.begin", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "kind", kind = "oneOf", names = { [1] = "users", [2] = "patches", [3] = "file" } },
    { name = "size", kind = "uint", width = 4, min = 1, max = 1048576, unit = "bytes" },
    { name = "chunk", kind = "uint", width = 2, min = 64, max = 1100, unit = "bytes" },
    { name = "digest", kind = "fixed", length = 16 },
  } },
  [0x35] = { name = "transfer.announce", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "kind", kind = "oneOf", names = { [1] = "users", [2] = "patches", [3] = "file" } },
    { name = "size", kind = "uint", width = 4, min = 1, max = 1048576, unit = "bytes" },
    { name = "chunk", kind = "uint", width = 2, min = 64, max = 1100, unit = "bytes" },
    { name = "digest", kind = "fixed", length = 16 },
    { name = "first", kind = "uint", width = 1, min = 1, max = 247 },
    { name = "members", kind = "list", prefix = 1, max = 31, item = { kind = "uint", width = 1, min = 0, max = 255 } },
  } },
  [0x36] = { name = "transfer.share", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "kind", kind = "oneOf", names = { [1] = "users", [2] = "patches", [3] = "file" } },
    { name = "size", kind = "uint", width = 4, min = 1, max = 1048576, unit = "bytes" },
    { name = "chunk", kind = "uint", width = 2, min = 64, max = 1100, unit = "bytes" },
    { name = "digest", kind = "fixed", length = 16 },
    { name = "key", kind = "fixed", length = 32, secret = true },
  } },
  [0x31] = { name = "transfer.ask", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "from", kind = "uint", width = 2, min = 0, max = 65535 },
  } },
  [0xb1] = { name = "transfer.state", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "received", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "from", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "bitmap", kind = "list", prefix = 1, max = 64, item = { kind = "uint", width = 1, min = 0, max = 255 } },
  } },
  [0x32] = { name = "chunk", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "index", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "data", kind = "blob", prefix = 0, max = 1100, secret = true },
  } },
  [0x33] = { name = "transfer.fetch", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "first", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "count", kind = "uint", width = 1, min = 1, max = 64 },
  } },
  [0xb3] = { name = "transfer.offered", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "size", kind = "uint", width = 4, min = 1, max = 1048576, unit = "bytes" },
    { name = "chunk", kind = "uint", width = 2, min = 64, max = 1100, unit = "bytes" },
    { name = "digest", kind = "fixed", length = 16 },
    { name = "user", kind = "fixed", length = 16 },
    { name = "same", kind = "list", prefix = 1, max = 24, item = { kind = "uint", width = 1, min = 0, max = 255 } },
  } },
  [0x34] = { name = "transfer.commit", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "digest", kind = "fixed", length = 16 },
    { name = "after", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0xb4] = { name = "transfer.committed", fields = {
    { name = "transfer", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "digest", kind = "fixed", length = 16 },
    { name = "refused", kind = "list", prefix = 1, max = 200, item = { kind = "group", fields = { { name = "index", kind = "uint", width = 1, min = 0, max = 255 }, { name = "reason", kind = "oneOf", names = { [1] = "no-session", [2] = "unknown-message", [3] = "malformed", [4] = "busy", [5] = "no-such-user", [6] = "no-such-transfer", [7] = "capacity-full", [8] = "format-mismatch", [9] = "too-large", [10] = "incomplete", [11] = "corrupt", [12] = "flash-failed", [13] = "changed-here", [14] = "not-pairing", [15] = "wrong-code", [16] = "other-base", [17] = "no-such-slice", [18] = "other-table", [19] = "unsent-changes", [20] = "no-such-file" } } } } },
    { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0x40] = { name = "slice.open", fields = {
    { name = "task", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0xc0] = { name = "slice.state", fields = {
    { name = "users", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "table", kind = "fixed", length = 16 },
    { name = "how", kind = "flags", bits = { { name = "live", mask = 1 } } },
  } },
  [0x41] = { name = "slice.swap", fields = {
    { name = "table", kind = "fixed", length = 16 },
  } },
  [0xc1] = { name = "slice.swapped", fields = {} },
  [0x42] = { name = "slice.drop", fields = {} },
  [0xc2] = { name = "slice.dropped", fields = {} },
  [0x43] = { name = "journal.read", fields = {
    { name = "after", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0xc3] = { name = "journal.page", fields = {
    { name = "epoch", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "changes", kind = "list", prefix = 1, max = 50, item = { kind = "group", fields = { { name = "seq", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "user", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "what", kind = "oneOf", names = { [1] = "enrolled", [2] = "edited", [3] = "deleted" } }, { name = "operator", kind = "uint", width = 2, min = 0, max = 65535 }, { name = "at", kind = "uint", width = 6, min = 0, max = 281474976710655, unit = "ms UTC" } } } },
  } },
  [0x44] = { name = "journal.settle", fields = {
    { name = "answers", kind = "list", prefix = 1, max = 8, item = { kind = "group", fields = { { name = "seq", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "result", kind = "oneOf", names = { [1] = "merged", [2] = "conflict", [3] = "refused" } }, { name = "reason", kind = "text", prefix = 1, max = 120 } } } },
  } },
  [0xc4] = { name = "journal.settled", fields = {
    { name = "left", kind = "uint", width = 4, min = 0, max = 4294967295 },
  } },
  [0x45] = { name = "sync.ask", fields = {} },
  [0xc5] = { name = "sync.wish", fields = {
    { name = "number", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "mode", kind = "oneOf", names = { [0] = "none", [1] = "synchronise", [2] = "send" } },
    { name = "task", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "operator", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "how", kind = "flags", bits = { { name = "forget", mask = 1 }, { name = "files", mask = 2 }, { name = "automatic", mask = 4 }, { name = "unsent", mask = 8 } } },
  } },
  [0x46] = { name = "sync.tell", fields = {
    { name = "number", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "stage", kind = "oneOf", names = { [1] = "preparing", [2] = "sending", [3] = "downloading", [4] = "storing", [5] = "files", [6] = "done", [7] = "failed", [8] = "refused" } },
    { name = "done", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "total", kind = "uint", width = 4, min = 0, max = 4294967295 },
    { name = "bytes", kind = "uint", width = 4, min = 0, max = 4294967295, unit = "bytes" },
    { name = "rate", kind = "uint", width = 4, min = 0, max = 4294967295, unit = "bytes/s" },
    { name = "left", kind = "uint", width = 4, min = 0, max = 4294967295, unit = "s" },
    { name = "reason", kind = "text", prefix = 1, max = 120 },
  } },
  [0xc6] = { name = "sync.heard", fields = {
    { name = "how", kind = "flags", bits = { { name = "cancelled", mask = 1 } } },
  } },
  [0x4c] = { name = "supply.tell", fields = {
    { name = "supply", kind = "flags", bits = { { name = "present", mask = 1 } } },
  } },
  [0x47] = { name = "file.open", fields = {
    { name = "name", kind = "text", prefix = 1, max = 64 },
    { name = "kind", kind = "oneOf", names = { [1] = "wallpaper", [2] = "floor-plan", [3] = "photo", [4] = "firmware" } },
    { name = "size", kind = "uint", width = 4, min = 1, max = 4294967295, unit = "bytes" },
    { name = "digest", kind = "fixed", length = 16 },
  } },
  [0xc7] = { name = "file.state", fields = {
    { name = "stored", kind = "uint", width = 4, min = 0, max = 4294967295, unit = "bytes" },
  } },
  [0x48] = { name = "files.read", fields = {
    { name = "after", kind = "text", prefix = 1, max = 64 },
  } },
  [0xc8] = { name = "files.page", fields = {
    { name = "files", kind = "list", prefix = 1, max = 8, item = { kind = "group", fields = { { name = "name", kind = "text", prefix = 1, max = 64 }, { name = "kind", kind = "oneOf", names = { [1] = "wallpaper", [2] = "floor-plan", [3] = "photo", [4] = "firmware" } }, { name = "size", kind = "uint", width = 4, min = 1, max = 4294967295, unit = "bytes" }, { name = "digest", kind = "fixed", length = 16 } } } },
  } },
  [0x49] = { name = "files.remove", fields = {
    { name = "name", kind = "text", prefix = 1, max = 64 },
  } },
  [0xc9] = { name = "files.removed", fields = {} },
  [0x4a] = { name = "tasks.set", fields = {
    { name = "from", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "total", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "tasks", kind = "list", prefix = 1, max = 24, item = { kind = "group", fields = { { name = "id", kind = "uint", width = 4, min = 0, max = 4294967295 }, { name = "name", kind = "text", prefix = 1, max = 32 } } } },
  } },
  [0x4b] = { name = "operators.set", fields = {
    { name = "from", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "total", kind = "uint", width = 2, min = 0, max = 65535 },
    { name = "operators", kind = "list", prefix = 1, max = 8, item = { kind = "group", fields = { { name = "id", kind = "uint", width = 2, min = 1, max = 65535 }, { name = "name", kind = "text", prefix = 1, max = 32 }, { name = "verifier", kind = "blob", prefix = 1, max = 64, secret = true } } } },
  } },
  [0xca] = { name = "list.taken", fields = {} },
}

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

-- ChaCha20-Poly1305 (RFC 8439) in plain Lua: not every Wireshark offers a cipher to it.

local function words(text)
  local list = {}
  for at = 1, #text, 4 do
    list[#list + 1] = uint(text, at, 4)
  end
  return list
end

local function quarter(x, a, b, c, d)
  local xa, xb, xc, xd = x[a], x[b], x[c], x[d]
  xa = (xa + xb) % WORD
  xd = lrotate(bxor(xd, xa), 16)
  xc = (xc + xd) % WORD
  xb = lrotate(bxor(xb, xc), 12)
  xa = (xa + xb) % WORD
  xd = lrotate(bxor(xd, xa), 8)
  xc = (xc + xd) % WORD
  xb = lrotate(bxor(xb, xc), 7)
  x[a], x[b], x[c], x[d] = xa, xb, xc, xd
end

local CONSTANTS = words("expand 32-byte k")

-- The 64 bytes of key stream number `block`, as 16 words. `key` has 8 words, `nonce` 3.
local function chacha(key, nonce, block)
  local start = { CONSTANTS[1], CONSTANTS[2], CONSTANTS[3], CONSTANTS[4] }
  for i = 1, 8 do start[4 + i] = key[i] end
  start[13] = block
  for i = 1, 3 do start[13 + i] = nonce[i] end
  local x = {}
  for i = 1, 16 do x[i] = start[i] end
  for _ = 1, 10 do
    quarter(x, 1, 5, 9, 13)
    quarter(x, 2, 6, 10, 14)
    quarter(x, 3, 7, 11, 15)
    quarter(x, 4, 8, 12, 16)
    quarter(x, 1, 6, 11, 16)
    quarter(x, 2, 7, 12, 13)
    quarter(x, 3, 8, 9, 14)
    quarter(x, 4, 5, 10, 15)
  end
  for i = 1, 16 do x[i] = (x[i] + start[i]) % WORD end
  return x
end

local function bytes_of(list, from, to)
  local out = {}
  for i = from, to do
    local word = list[i]
    out[#out + 1] = string.char(
      band(word, 0xff), band(rshift(word, 8), 0xff), band(rshift(word, 16), 0xff), rshift(word, 24))
  end
  return table.concat(out)
end

-- The nonce of a counter: four zeros and 64 bits little-endian (Noise, section 12.3).
local function nonce_of(counter)
  return { 0, counter % WORD, math.floor(counter / WORD) }
end

local floor = math.floor
local LIMB = 4194304 -- 2^22: six of them hold 132 bits, and no sum of products leaves the 53 of a double.

-- Sixteen bytes from `at` on as limbs; `high` is the bit above them.
local function limbs(text, at, high)
  local b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16 = text:byte(at, at + 15)
  return b1 + b2 * 256 + b3 % 64 * 65536,
    floor(b3 / 64) + b4 * 4 + b5 * 1024 + b6 % 16 * 262144,
    floor(b6 / 16) + b7 * 16 + b8 * 4096 + b9 % 4 * 1048576,
    floor(b9 / 4) + b10 * 64 + b11 * 16384,
    b12 + b13 * 256 + b14 % 64 * 65536,
    floor(b14 / 64) + b15 * 4 + b16 * 1024 + high * 262144
end

-- Carries from limb to limb; what leaves 132 bits comes back times 20, for 2^132 is 20 modulo 2^130 - 5.
local function carried(h)
  for _ = 1, 2 do
    local carry = 0
    for i = 1, 6 do
      local sum = h[i] + carry
      carry = floor(sum / LIMB)
      h[i] = sum - carry * LIMB
    end
    h[1] = h[1] + 20 * carry
  end
end

-- Poly1305 of a text whose length is a multiple of 16; the first eight bytes of it.
local function poly1305(key, text)
  local clamped = {}
  for i = 1, 16 do
    local byte = key:byte(i)
    if i % 4 == 0 then byte = byte % 16 end
    if i % 4 == 1 and i > 1 then byte = byte - byte % 4 end
    clamped[i] = string.char(byte)
  end
  local r = { limbs(table.concat(clamped), 1, 0) }
  local h = { 0, 0, 0, 0, 0, 0 }
  for at = 1, #text, 16 do
    local block = { limbs(text, at, 1) }
    for i = 1, 6 do block[i] = block[i] + h[i] end
    for i = 1, 6 do
      local low, high = 0, 0
      for j = 1, i do low = low + block[j] * r[i - j + 1] end
      for j = i + 1, 6 do high = high + block[j] * r[i - j + 7] end
      h[i] = low + 20 * high
    end
    carried(h)
  end
  carried(h)
  -- Below 2^130, then below 2^130 - 5.
  local over = floor(h[6] / 1048576)
  h[6] = h[6] - over * 1048576
  h[1] = h[1] + 5 * over
  carried(h)
  local g, carry = {}, 5
  for i = 1, 6 do
    local sum = h[i] + carry
    local size = i == 6 and 1048576 or LIMB
    carry = floor(sum / size)
    g[i] = sum - carry * size
  end
  if carry > 0 then h = g end
  local s = { limbs(key, 17, 0) }
  -- Of the first eight bytes nothing beyond the third limb is needed.
  local out, held, have, plus = {}, 0, 0, 0
  for i = 1, 3 do
    local sum = h[i] + s[i] + plus
    plus = floor(sum / LIMB)
    held = held + (sum - plus * LIMB) * 2 ^ have
    have = have + 22
    while have >= 8 and #out < 8 do
      out[#out + 1] = string.char(floor(held % 256))
      held = floor(held / 256)
      have = have - 8
    end
  end
  return table.concat(out)
end

local function padded(text)
  return text .. ("\0"):rep(-#text % 16)
end

local function length64(text)
  local length = #text
  return string.char(length % 256, floor(length / 256)) .. ("\0"):rep(6)
end

-- SPEC section 9.2: opens what was sealed with a tag cut to eight bytes; nil when the tag is another.
local function open_sealed(key, counter, head, sealed, tag)
  local nonce = nonce_of(counter)
  local once = bytes_of(chacha(key, nonce, 0), 1, 8)
  local told = padded(head) .. padded(sealed) .. length64(head) .. length64(sealed)
  if poly1305(once, told) ~= tag then return nil end
  local out = {}
  for at = 1, #sealed, 64 do
    local stream = bytes_of(chacha(key, nonce, (at + 63) / 64), 1, 16)
    for i = at, math.min(at + 63, #sealed) do
      out[#out + 1] = string.char(bxor(sealed:byte(i), stream:byte(i - at + 1)))
    end
  end
  return table.concat(out)
end

-- REKEY of Noise: the next key of a direction.
local function rekeyed(key)
  local next_key = {}
  local stream = chacha(key, { 0, WORD - 1, WORD - 1 }, 1)
  for i = 1, 8 do next_key[i] = stream[i] end
  return next_key
end

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

-- A packet: what stood on the wire up to and including a delimiter.

local f = {
  control = field(ProtoField.uint8, "control", "Control", base.HEX),
  sealed = field(ProtoField.bool, "sealed", "Sealed", 8, nil, 0x20),
  from_terminal = field(ProtoField.bool, "from_terminal", "From the terminal", 8, nil, 0x10),
  attention = field(ProtoField.bool, "attention", "Attention", 8, nil, 0x08),
  invite = field(ProtoField.bool, "invite", "Invitation", 8, nil, 0x04),
  short = field(ProtoField.bool, "short", "Short frame", 8, nil, 0x02),
  address = field(ProtoField.uint8, "address", "Address", base.DEC),
  sequence = field(ProtoField.uint16, "sequence", "Sequence", base.DEC),
  low = field(ProtoField.uint16, "counter.low", "Counter, low half", base.DEC),
  counter = field(ProtoField.uint64, "counter", "Counter", base.DEC),
  crc = field(ProtoField.uint32, "crc", "CRC-32", base.HEX),
  check = field(ProtoField.uint16, "check", "Check", base.HEX),
  tag = field(ProtoField.bytes, "tag", "Tag"),
  ciphertext = field(ProtoField.bytes, "ciphertext", "Sealed"),
  opened = field(ProtoField.bool, "opened", "Opened with a key"),
  message = field(ProtoField.string, "message", "Message"),
  kind = field(ProtoField.string, "kind", "Short frame"),
}
proto.fields = proto_fields

local e = {
  damaged = ProtoExpert.new("whorl.damaged", "Damaged", expert.group.CHECKSUM, expert.severity.WARN),
  malformed = ProtoExpert.new("whorl.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR),
  closed = ProtoExpert.new("whorl.unopened", "No key opens it", expert.group.DECRYPTION, expert.severity.NOTE),
}
proto.experts = { e.damaged, e.malformed, e.closed }
proto.prefs.key_file = Pref.string("Key file", "",
  "Session keys, as `whorl-emulator start --key-log FILE` writes them: opens sealed frames")

local function damaged(tree, pinfo, reason)
  tree:add_proto_expert_info(e.damaged, reason)
  pinfo.cols.info = "damaged: " .. reason
end

local function show_ends(pinfo, header)
  local terminal = header.address == 0 and "all terminals" or "terminal " .. header.address
  pinfo.cols.src = header.from_terminal and terminal or "gateway"
  pinfo.cols.dst = header.from_terminal and "gateway" or terminal
end

local function show_control(tree, range, header)
  local branch = tree:add(f.control, range(0, 1))
  for _, name in ipairs({ "sealed", "from_terminal", "attention", "invite", "short" }) do
    branch:add(f[name], range(0, 1))
  end
  tree:add(f.address, range(1, 1))
  if not header.short then tree:add_le(f.sequence, range(2, 2)) end
end

-- Shows a message; `range` is of a buffer that holds the payload.
local function show_payload(tree, pinfo, range, payload, nodes, trouble)
  local message = MESSAGES[payload:byte(1)]
  if message == nil then
    tree:add_proto_expert_info(e.malformed, string.format("unknown message 0x%02x", payload:byte(1)))
    pinfo.cols.info = string.format("unknown message 0x%02x", payload:byte(1))
    return
  end
  local branch = tree:add(f.message, range(0, 1), message.name)
  branch:append_text(string.format(" (0x%02x)", payload:byte(1)))
  for _, node in ipairs(nodes) do show_node(branch, range, node) end
  if trouble then branch:add_proto_expert_info(e.malformed, trouble) end
  local told = summary(nodes)
  pinfo.cols.info = message.name .. (told == "" and "" or " " .. told) .. (trouble and ", " .. trouble or "")
end

local function body_of(payload)
  local message = MESSAGES[payload:byte(1)]
  if message == nil then return {}, nil, 2 end
  return read_body(message, payload)
end

local SHORT_KINDS = { [0x46] = "invitation", [0x5a] = "hand", [0x72] = "here", [0x7a] = "here" }

local function short_frame(tree, pinfo, range, frame, header)
  local kind = SHORT_KINDS[frame:byte(1)]
  show_control(tree, range, header)
  if kind == nil or #frame ~= (kind == "here" and 10 or 4) then
    return damaged(tree, pinfo, "no short frame that there is")
  end
  tree:add(f.kind, range(0, 1), kind)
  if kind == "here" then
    tree:add(f.tag, range(2, 8))
  else
    tree:add_le(f.check, range(2, 2))
    if crc32(frame:sub(1, 2)) % 65536 ~= uint(frame, 3, 2) then
      return damaged(tree, pinfo, "the check is another")
    end
  end
  pinfo.cols.info = kind .. (header.attention and kind == "here" and ", attention" or "")
end

local function plain_frame(tree, pinfo, range, frame, header)
  if #frame < 9 then return damaged(tree, pinfo, "too short") end
  show_control(tree, range, header)
  tree:add_le(f.crc, range(#frame - 4, 4))
  if crc32(frame:sub(1, -5)) ~= uint(frame, #frame - 3, 4) then
    return damaged(tree, pinfo, "the CRC is another")
  end
  local payload = frame:sub(5, -5)
  local nodes, trouble = body_of(payload)
  show_payload(tree, pinfo, range(4, #payload), payload, nodes, trouble)
end

local function sealed_frame(tree, pinfo, range, frame, header)
  local from = header.from_terminal and 6 or 4
  if #frame < from + 9 then return damaged(tree, pinfo, "too short") end
  show_control(tree, range, header)
  if header.from_terminal then tree:add_le(f.low, range(4, 2)) end
  tree:add(f.ciphertext, range(from, #frame - from - 8))
  tree:add(f.tag, range(#frame - 8, 8))
  local opened = open_frame(frame, header, pinfo.number)
  tree:add(f.opened, opened ~= nil):set_generated()
  if opened == nil then
    if ring_trouble or #ring > 0 then
      tree:add_proto_expert_info(e.closed, ring_trouble or "no key opens it")
    end
    pinfo.cols.info = "sealed, " .. #frame .. " bytes"
    return
  end
  tree:add(f.counter, UInt64(opened.counter % WORD, floor(opened.counter / WORD))):set_generated()
  local nodes, trouble, known_to = body_of(opened.payload)
  local shown = without_secrets(opened.payload, nodes, known_to)
  local buffer = ByteArray.new(shown, true):tvb("Opened, secrets blanked")
  show_payload(tree, pinfo, buffer:range(), opened.payload, nodes, trouble)
end

function proto.dissector(tvb, pinfo, root)
  pinfo.cols.protocol = "Whorl"
  local tree = root:add(proto, tvb:range())
  local wire = tvb:raw()
  local ended = wire:sub(-1) == "\0"
  local stuffed = ended and wire:sub(1, -2) or wire
  if stuffed == "" then
    pinfo.cols.info = "delimiter"
    return
  end
  local frame = unstuffed(stuffed)
  if frame == nil then return damaged(tree, pinfo, "no COBS" .. (ended and "" or ", and no delimiter")) end
  local control = frame:byte(1)
  if #frame < 4 or floor(control / 64) ~= 1 then return damaged(tree, pinfo, "no frame of this version") end
  local header = {
    address = frame:byte(2),
    from_terminal = flag(control, 0x10),
    attention = flag(control, 0x08),
    short = flag(control, 0x02),
  }
  show_ends(pinfo, header)
  local range = ByteArray.new(frame, true):tvb("Frame"):range()
  if header.short then return short_frame(tree, pinfo, range, frame, header) end
  if flag(control, 0x01) then return damaged(tree, pinfo, "no frame of this version") end
  if flag(control, 0x20) then return sealed_frame(tree, pinfo, range, frame, header) end
  return plain_frame(tree, pinfo, range, frame, header)
end

function proto.init()
  load_keys(proto.prefs.key_file)
end

-- Link type USER0, which captures of Whorl have.
DissectorTable.get("wtap_encap"):add((wtap or wtap_encaps).USER0, proto)
