/* A trained network in the browser: the graphs that its cell's step writes down, forward and back, over Float32Arrays.

   class Network                         one model, from a description that network.py writes
     new Network(description)            takes 5 to 50 ms; make it when it is first needed
     name, task ("next" or "autocomplete"), level ("char" or "word"), facts (see network.py)
     symbols: [text of each id that it reads], outputs: [text of each output; null has no text, never draw it]
     unknown: the id of the unknown symbol, or null
     length: of the latest symbols, read so many at most (autocomplete only; else Infinity)
     layers: [{ names: ["h", "c", …], kinds: { h: "value", c: "memory", i: "gate", … } }]   what `shown` gives
     encode(text) -> { ids, starts, unknown }
         ids: of the symbols. For autocomplete the text is read as words of a to z, with a space before each one;
         network.symbols has the text of each id.
         starts: for each id, where its symbol begins in the text (UTF-16 index; autocomplete: of the character that made it)
         unknown: [{ index, text }] of characters, or words, that the model does not know: left out, or read as its
         unknown symbol, or, for autocomplete, as a space
     first(ids) -> the index of the first id to read, where only `length` are read: that of a whole word
     start() -> State                    has read nothing
     step(state, id) -> State            reads one more; states never change: go on from any of them, as often as you like
     read(ids, state = start()) -> [State]   one state after each id
     shown(state) -> [{ name: Float32Array }]   for each layer: h, memories, gates by their letters; none after start()
     connectivity(states, output) -> Float32Array(T)   states: of T steps in order, the first one right after start() or
         any other state. The squared norm of the gradient of the logit of `output` after the last by each symbol read.
     slices: connecting(states, output) -> a generator of the same, which yields after every few milliseconds of work
   class State
     before (State or null), id, count (symbols read), logits (Float32Array(outputs), computed when asked for) */
"use strict";

class Network {}
class State {}

/* The descriptions of all models on the page, in the order of the command line. */
const readDescriptions = () => JSON.parse(document.getElementById("models").textContent);
