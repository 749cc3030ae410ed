// Counts the words of the standard input.
const buffer = new ArrayBuffer(4096);
const length = process.stdin.read(buffer);
const text = String.UTF8.decode(buffer.slice(0, length as i32));
const words = new Map<string, i32>();
const parts = text.replaceAll("\n", " ").split(" ");
for (let i = 0; i < parts.length; i++) {
  const word = parts[i];
  if (word.length == 0) continue;
  words.set(word, words.has(word) ? words.get(word) + 1 : 1);
}
const keys = words.keys();
keys.sort();
for (let i = 0; i < keys.length; i++) {
  console.log(keys[i] + " " + words.get(keys[i]).toString());
}
