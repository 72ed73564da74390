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
