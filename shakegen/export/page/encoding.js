/* Texts as symbols that a network reads: { ids, starts, unknown }.

   ids: of the symbols. For autocomplete the text is read as words of a to z, with a space before each one;
       textsOf(network, ids) has the text of each.
       Subwords: a character that is no piece is read as the hexadecimal digits of its bytes in UTF-8.
   starts: for each id, where its symbol begins in the text (UTF-16 index; autocomplete: of the character that made it)
   unknown: [{ index, text }] of characters, or words, that the model does not know: left out, or read as its unknown
       symbol, or, for autocomplete, as a space */
"use strict";

const DIGITS = "zero one two three four five six seven eight nine".split(" ");

/* A function that reads a text. */
function makeEncoder(network, ids, pattern) {
  if (network.task === "autocomplete") return text => encodeWords(text, ids);
  const chunks = pattern && new RegExp(pattern.chunk, "gu"), symbols = pattern && new RegExp(pattern.symbol, "gu");
  const words = text => (text.match(chunks) ?? []).flatMap(chunk => chunk.match(symbols) ?? []);
  const cuts = network.level === "subword";
  const split = text => !pattern ? text : cuts ? words(text).flatMap(word => cutWord(word, ids)) : words(text);
  return text => {
    const found = { ids: [], starts: [], unknown: [] };
    let index = 0;
    for (const one of split(text)) {
      const id = ids.get(one) ?? network.unknown, spelled = id === null && cuts;
      if (!ids.has(one) && !spelled) found.unknown.push({ index, text: one });
      for (const read of spelled ? spell(one, ids.size) : id === null ? [] : [id]) {
        found.ids.push(read);
        found.starts.push(index);
      }
      index += one.length;
    }
    return found;
  };
}

/* The pieces of a word: of all neighbours that make a known piece, those with the lowest id become one, and so on. */
function cutWord(word, ids) {
  const pieces = Array.from(word);
  for (;;) {
    const found = pieces.slice(1).map((piece, k) => ids.get(pieces[k] + piece) ?? Infinity);
    const best = Math.min(...found), place = found.indexOf(best);
    if (best === Infinity) return pieces;
    pieces.splice(place, 2, pieces[place] + pieces[place + 1]);
  }
}

/* The ids of the hexadecimal digits of a character; those of pieces come before. */
function spell(character, pieces) {
  return Array.from(new TextEncoder().encode(character)).flatMap(byte => [pieces + (byte >> 4), pieces + (byte & 15)]);
}

/* The text of each id. A character that is spelled stands at its last digit; the others have none. */
function textsOf({ symbols, level, known }, ids) {
  if (level !== "subword") return ids.map(id => symbols[id]);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let high = null;
  return ids.map(id => {
    if (id < known) return symbols[id];
    if (high === null) {
      high = id - known << 4;
      return "";
    }
    const byte = high | id - known;
    high = null;
    return decoder.decode(Uint8Array.of(byte), { stream: true });
  });
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
