/* Drawing from logits.

   probabilities(logits, { temperature = 1, topK = 0, topP = 1, minP = 0, outputs = null }) -> Float64Array, sums to 1
       topK 0, topP 1 and minP 0 leave nothing out; temperature 0 gives all to the likeliest. outputs: pass
       network.outputs, so that an output without text gets 0. Same order as shakegen's: temperature, top-k, top-p, min-p.
   random(seed) -> () => number in [0, 1)      the same numbers for the same seed, a whole number
   draw(probabilities, random) -> id
   surprise(logits, id) -> bits
   likeliest(probabilities, count) -> [id]      best first, none of probability 0 */
"use strict";
