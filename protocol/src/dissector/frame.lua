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
