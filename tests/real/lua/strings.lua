-- Patterns, string.format, concatenation, bytes.
local text = "The quick brown fox jumps over the lazy dog"
print(text:len(), text:upper(), text:reverse())
local counts = {}
for letter in text:lower():gmatch("%a") do counts[letter] = (counts[letter] or 0) + 1 end
local letters = {}
for letter, count in pairs(counts) do letters[#letters + 1] = letter .. count end
table.sort(letters)
print(table.concat(letters, ","))
print((text:gsub("(%w+)", function(word) return word:sub(2) .. word:sub(1, 1) .. "ay" end)))
print(text:find("fox"), text:match("(%a+) dog"), ("x=1, y=22"):gsub("%d+", "<%0>"))
print(string.format("%5d|%-8s|%08.3f|%x|%q|%g|%e", 42, "left", math.pi, 48879, 'a "b"\n', 1e15, 12345.678))
print(("%s %s %s"):format(1, 2.5, true), ("a,b,,c"):rep(2, ";"), ("é"):byte(1, -1))
local caesar = {}
for i = 1, #text do
  local byte = text:byte(i)
  if byte >= 97 and byte <= 122 then byte = (byte - 97 + 13) % 26 + 97 end
  caesar[i] = string.char(byte)
end
print(table.concat(caesar))
local packed = string.pack("<i4 z d", -7, "zero", 0.5)
print(#packed, string.unpack("<i4 z d", packed))
print(tostring(1e100), 2^53, 10 // 3, -7 % 3, 7 // 0.0, 0x7fffffffffffffff + 1)
