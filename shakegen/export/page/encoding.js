/* Texts as symbols that a network reads. */
"use strict";

const DIGITS = "zero one two three four five six seven eight nine".split(" ");

/* A function from a text to { ids, starts, unknown }. */
function makeEncoder(network, ids, pattern) {
  if (network.task === "autocomplete") return text => encodeWords(text, ids);
  const chunks = pattern && new RegExp(pattern.chunk, "gu"), symbols = pattern && new RegExp(pattern.symbol, "gu");
  const split = text => pattern ? (text.match(chunks) ?? []).flatMap(chunk => chunk.match(symbols) ?? []) : text;
  return text => {
    const found = { ids: [], starts: [], unknown: [] };
    let index = 0;
    for (const one of split(text)) {
      const id = ids.get(one) ?? network.unknown;
      if (!ids.has(one)) found.unknown.push({ index, text: one });
      if (id !== null) {
        found.ids.push(id);
        found.starts.push(index);
      }
      index += one.length;
    }
    return found;
  };
}

/* A text as words of a to z, a space before each: the alphabet of text8. */
function encodeWords(text, numbers) {
  const ids = [0], starts = [0], unknown = [];
  let index = 0;
  for (const one of text) {
    const lower = /[A-Z]/.test(one) ? one.toLowerCase() : one;
    if (!numbers.has(lower) && !/[0-9\s]/.test(one)) unknown.push({ index, text: one });
    for (const letter of numbers.has(lower) ? lower : /[0-9]/.test(one) ? ` ${DIGITS[one]} ` : " ")
      if (letter !== " " || ids.at(-1)) {
        ids.push(numbers.get(letter));
        starts.push(index);
      }
    index += one.length;
  }
  return { ids, starts, unknown };
}
