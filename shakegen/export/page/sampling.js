/* Drawing from logits.

   probabilities(logits, { temperature = 1, topK = 0, topP = 1, minP = 0, outputs = null }) -> Float64Array, sums to 1
       topK 0, topP 1 and minP 0 leave nothing out; temperature 0 gives all to the likeliest. outputs: pass
       network.outputs, so that an output without text gets 0. Same order as shakegen's: temperature, top-k, top-p, min-p.
   random(seed) -> () => number in [0, 1)      the same numbers for the same seed, a whole number
   draw(probabilities, random) -> id
   surprise(logits, id) -> bits
   likeliest(probabilities, count, least) -> [id]      best first, none of probability 0 */
"use strict";

function probabilities(logits, { temperature = 1, topK = 0, topP = 1, minP = 0, outputs = null } = {}) {
  const shares = Float64Array.from(logits, (logit, id) => outputs && outputs[id] === null ? -Infinity : logit);
  const highest = shares.reduce((most, one) => Math.max(most, one), -Infinity);
  if (!temperature) {
    const best = shares.indexOf(highest);
    return shares.map((_, id) => Number(id === best));
  }
  for (let id = 0; id < shares.length; id++) shares[id] = (shares[id] - highest) / temperature;
  const least = Math.max(leastGap(shares, topK, topP), minP > 0 ? Math.log(minP) : -Infinity);
  let total = 0;
  for (let id = 0; id < shares.length; id++) total += shares[id] = shares[id] >= least ? Math.exp(shares[id]) : 0;
  for (let id = 0; id < shares.length; id++) shares[id] /= total;
  return shares;
}

/* The logit, less the highest one, from which on top-k and then top-p let an output stay; outputs that tie stay together. */
function leastGap(gaps, topK, topP) {
  if (!(topK > 0 && topK < gaps.length) && !(topP < 1)) return -Infinity;
  const sorted = gaps.slice().sort().reverse();
  const least = topK > 0 && topK < gaps.length ? sorted[topK - 1] : -Infinity;
  if (!(topP < 1)) return least;
  const kept = sorted.filter(gap => gap >= least), total = kept.reduce((sum, gap) => sum + Math.exp(gap), 0);
  let mass = 0;
  return kept.find(gap => (mass += Math.exp(gap)) >= topP * total) ?? kept.at(-1);
}

/* The generator xoshiro128** (Blackman & Vigna 2018), its state from the seed by splitmix32. */
function random(seed) {
  let mixed = (seed ^ Math.floor(seed / 2 ** 32) * 0x85ebca6b) | 0;
  const [a, b, c, d] = [0, 1, 2, 3].map(() => {
    mixed = mixed + 0x9e3779b9 | 0;
    let bits = Math.imul(mixed ^ mixed >>> 16, 0x21f0aaad);
    bits = Math.imul(bits ^ bits >>> 15, 0x735a2d97);
    return bits ^ bits >>> 15;
  });
  const state = Int32Array.of(a, b, c, d), rotate = (bits, by) => bits << by | bits >>> 32 - by;
  return () => {
    const drawn = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0, shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11);
    return drawn / 2 ** 32;
  };
}

function draw(shares, next) {
  let left = next(), last = 0;
  for (let id = 0; id < shares.length; id++) {
    if (!shares[id]) continue;
    last = id;
    left -= shares[id];
    if (left < 0) break;
  }
  return last;
}

function surprise(logits, id) {
  const highest = logits.reduce((most, one) => Math.max(most, one), -Infinity);
  const total = logits.reduce((sum, one) => sum + Math.exp(one - highest), 0);
  return (Math.log(total) + highest - logits[id]) / Math.LN2;
}

/* The likeliest ids, best first, of those with a probability of `least` or more. */
function likeliest(shares, count, least = Number.MIN_VALUE) {
  const ids = Array.from(shares.keys()).filter(id => shares[id] >= least);
  return ids.sort((a, b) => shares[b] - shares[a] || a - b).slice(0, count);
}
