// A class, a map, a generator, template strings.
class Stack {
    #items = [];
    push(...items) { this.#items.push(...items); return this; }
    pop() { return this.#items.pop(); }
    get size() { return this.#items.length; }
}
const stack = new Stack().push(1, 2, 3);
print(`popped ${stack.pop()}, ${stack.size} left`);
const count = new Map();
for (const word of "the cat and the dog and the bird".split(" "))
    count.set(word, (count.get(word) ?? 0) + 1);
print([...count].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([w, n]) => `${w}:${n}`).join(" "));
function* primes() {
    for (let n = 2; ; n++) {
        let prime = true;
        for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
        if (prime) yield n;
    }
}
const first = [];
for (const p of primes()) { if (first.length === 10) break; first.push(p); }
print(first.join(","), 2n ** 70n, 0.1 + 0.2, (255).toString(2), parseFloat("1e-7"));
try { null.x; } catch (error) { print(error instanceof TypeError, JSON.parse('{"k":[1,{"z":2}]}').k[1].z); }
