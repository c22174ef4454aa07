/* A trained network in the browser: the graphs that its cell's step writes down, forward and back, over Float32Arrays.

   class Network                         one model, from a description that network.py writes
     new Network(description)            takes 5 to 50 ms; make it when it is first needed
     name, task ("next" or "autocomplete"), level ("char", "subword" or "word")
     symbols: [text of each id that it reads], outputs: [text of each output; null has no text, never draw it]
     known: how many of the symbols have a text; unknown: the id of the unknown symbol, or null
     length: of the latest symbols, read so many at most (autocomplete only; else Infinity)
     layers: [{ names: ["h", "c", …], kinds: { h: "value", c: "memory", i: "gate", … } }]   the names that `shown` gives
     encode(text) -> { ids, starts, unknown }   see encoding.js
     first(ids) -> the index of the first id to read, where only `length` are read: that of a whole word
     start() -> State                    has read nothing
     step(state, id) -> State            reads one more; states never change: go on from any of them, as often as you like
     read(ids, state = start()) -> [State]   one state after each id
     step and read take one more argument, keep: true where `shown` or `connectivity` will be asked of each state soon.
         They work without, and are then a step slower for each state; kept values take 5 to 60 kB a state.
     shown(state) -> [{ name: Float32Array }]   for each layer: h, memories, gates by their letters; none after start()
     connectivity(states, output) -> Float32Array(T)   states: of T steps in order, the first one right after start() or
         any other state. The squared norm of the gradient of the logit of `output` after the last by each symbol read.
     connecting(states, output, slice = 8) -> a generator of the same, which yields after so many milliseconds of work
   class State
     before (State or null), id, count (symbols read), logits (Float32Array(outputs), computed when asked for) */
"use strict";

/* Arrays of a description: a vector is a Float32Array, a matrix an array of them, its rows. */
function unpack({ shape, type, data }) {
  const text = atob(data), bytes = new Uint8Array(text.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = text.charCodeAt(k);
  const numbers = type === "float16" ? widen(new Uint16Array(bytes.buffer)) : new Float32Array(bytes.buffer);
  if (shape.length === 1) return numbers;
  return Array.from({ length: shape[0] }, (_, row) => numbers.subarray(row * shape[1], (row + 1) * shape[1]));
}

function widen(halves) {
  const numbers = new Float32Array(halves.length), scales = Array.from({ length: 32 }, (_, k) => 2 ** (Math.max(k, 1) - 25));
  for (let k = 0; k < halves.length; k++) {
    const half = halves[k], exponent = half >> 10 & 31, size = (half & 1023) + (exponent ? 1024 : 0);
    numbers[k] = (half & 0x8000 ? -size : size) * scales[exponent];
  }
  return numbers;
}

/* A vector times a matrix. Eight rows at once, so that the result is loaded and stored an eighth as often. */
function multiply(x, rows, out) {
  const width = out.length, count = rows.length;
  out.fill(0);
  let k = 0;
  for (; k + 7 < count; k += 8) {
    const a = x[k], b = x[k + 1], c = x[k + 2], d = x[k + 3], e = x[k + 4], f = x[k + 5], g = x[k + 6], h = x[k + 7];
    if (a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0 && g === 0 && h === 0) continue;
    const p = rows[k], q = rows[k + 1], r = rows[k + 2], s = rows[k + 3];
    const t = rows[k + 4], u = rows[k + 5], v = rows[k + 6], w = rows[k + 7];
    for (let j = 0; j < width; j++)
      out[j] += a * p[j] + b * q[j] + (c * r[j] + d * s[j]) + (e * t[j] + f * u[j] + (g * v[j] + h * w[j]));
  }
  for (; k < count; k++) {
    const a = x[k], row = rows[k];
    if (a !== 0) for (let j = 0; j < width; j++) out[j] += a * row[j];
  }
}

/* A vector times a transposed matrix: its products with each row. */
function multiplyTransposed(x, rows, out) {
  const width = x.length, count = rows.length;
  let k = 0;
  for (; k + 7 < count; k += 8) {
    const p = rows[k], q = rows[k + 1], r = rows[k + 2], s = rows[k + 3];
    const t = rows[k + 4], u = rows[k + 5], v = rows[k + 6], w = rows[k + 7];
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let j = 0; j < width; j++) {
      const y = x[j];
      a += y * p[j];
      b += y * q[j];
      c += y * r[j];
      d += y * s[j];
      e += y * t[j];
      f += y * u[j];
      g += y * v[j];
      h += y * w[j];
    }
    out.set([a, b, c, d, e, f, g, h], k);
  }
  for (; k < count; k++) {
    let a = 0;
    for (let j = 0; j < width; j++) a += x[j] * rows[k][j];
    out[k] = a;
  }
}

/* The mean of an array, and the factor that makes its variance 1. */
function spread(a) {
  const mean = a.reduce((sum, one) => sum + one, 0) / a.length;
  const variance = a.reduce((sum, one) => sum + (one - mean) ** 2, 0) / a.length;
  return [mean, 1 / Math.sqrt(variance + 1e-5)];
}

function normalise(a, out) {
  const [mean, scale] = spread(a);
  for (let k = 0; k < a.length; k++) out[k] = (a[k] - mean) * scale;
}

function normaliseGradient(a, d, out) {
  const [mean, scale] = spread(a), y = a.map(one => (one - mean) * scale);
  const sum = d.reduce((all, one) => all + one, 0), products = d.reduce((all, one, k) => all + one * y[k], 0);
  for (let k = 0; k < a.length; k++) out[k] = scale * (d[k] - (sum + y[k] * products) / a.length);
}

const sigmoid = z => 1 / (1 + Math.exp(-z));
const softplus = z => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const UNARY = {
  tanh: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = Math.tanh(a[k]); },
  sigmoid: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = sigmoid(a[k]); },
  relu: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] > 0 ? a[k] : 0; },
  linear: (a, out) => out.set(a),
  exp: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = Math.exp(a[k]); },
  log: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = Math.log(a[k]); },
  sqrt: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = Math.sqrt(a[k]); },
  softplus: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = softplus(a[k]); },
  normalise,
  positive: (a, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] > 0 ? 1 : 0; },
};
const BINARY = {
  add: (a, b, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] + b[k]; },
  subtract: (a, b, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] - b[k]; },
  multiply: (a, b, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] * b[k]; },
  divide: (a, b, out) => { for (let k = 0; k < out.length; k++) out[k] = a[k] / b[k]; },
  maximum: (a, b, out) => { for (let k = 0; k < out.length; k++) out[k] = Math.max(a[k], b[k]); },
  matmul: multiply,
  matmul_transposed: multiplyTransposed,
  normalise_gradient: normaliseGradient,
};

/* Steps of a graph, over arrays that are laid out once: set `inputs`, call `run`, read `outputs`. */
class Program {
  constructor({ inputs, steps, outputs }, arrays) {
    this.inputs = inputs.map(width => new Float32Array(width));
    this.calls = [];
    const values = [...this.inputs];
    const find = (one, width) => typeof one === "number" ? values[one]
      : "array" in one ? arrays[one.array] : new Float32Array(width).fill(one.number);
    for (const [operation, from, width, attributes] of steps)
      values.push(this.add(operation, from.map(one => find(one, width)), width, attributes));
    this.outputs = outputs.map(one => find(one, 0));
  }

  add(operation, [a, b, ...more], width, { start, stop, names }) {
    if (operation === "part") return a.subarray(start, stop);
    const out = new Float32Array(width);
    if (operation === "zeros") return out;
    if (operation === "concat") {
      let end = 0;
      for (const block of [a, b, ...more].filter(Boolean)) {
        const part = out.subarray(end, end += block.length);
        this.calls.push(() => part.set(block));
      }
    } else if (operation === "activate") {
      const size = width / names.length;
      names.forEach((name, k) => {
        const [from, to] = [a, out].map(whole => whole.subarray(k * size, (k + 1) * size));
        this.calls.push(() => UNARY[name](from, to));
      });
    } else if (operation in UNARY) {
      const call = UNARY[operation];
      this.calls.push(() => call(a, out));
    } else {
      const call = BINARY[operation];
      this.calls.push(() => call(a, b, out));
    }
    return out;
  }

  run() {
    for (const call of this.calls) call();
  }
}

class State {
  constructor(network, before, id, data, kept = null) {
    Object.assign(this, { network, before, id, data, kept, count: before ? before.count + 1 : 0 });
  }

  get logits() {
    return this.network.readOut(this);
  }
}

class Network {
  constructor(description) {
    const { name, task, level, symbols, known, outputs, unknown, units, residual } = description;
    Object.assign(this, { name, task, level, symbols, known, outputs, unknown, units, residual });
    this.length = description.length ?? Infinity;
    const arrays = description.arrays.map(unpack);
    this.layers = description.layers.map(layer => ({
      names: layer.names,
      kinds: layer.kinds,
      kernel: arrays[layer.kernel],
      starts: layer.starts.map(number => arrays[number]),
      forward: new Program(layer.forward, arrays),
      back: new Program(layer.back, arrays),
      carried: layer.carried,
    }));
    for (const layer of this.layers) {
      layer.distinct = [...new Set(layer.forward.outputs)];
      layer.places = layer.forward.outputs.map(one => layer.distinct.indexOf(one));
    }
    this.embedding = description.embedding === null ? null : arrays[description.embedding];
    this.dense = description.dense.map(number => arrays[number]);
    this.table = this.embedding ? [] : this.layers[0].kernel;
    this.width = this.layers.length * this.layers[0].starts.length * units;
    this.hidden = new Float32Array(units);
    this.latest = { state: null, logits: null };
    const ids = new Map(symbols.map((text, id) => [text, id]).slice(0, known));
    this.encode = makeEncoder(this, ids, description.pattern);
  }

  first(ids) {
    const least = Math.max(0, ids.length - this.length), space = ids.indexOf(0, least);
    return space < 0 || !least ? least : space;
  }

  start() {
    const data = new Float32Array(this.width);
    this.layers.flatMap(layer => layer.starts).forEach((start, k) => data.set(start, k * this.units));
    return new State(this, null, null, data);
  }

  step(state, id, keep = false) {
    const data = this.advance(state.data, id);
    return new State(this, state, id, data, keep ? this.copyValues() : null);
  }

  read(ids, state = this.start(), keep = false) {
    return Array.from(ids, id => state = this.step(state, id, keep));
  }

  shown(state) {
    if (!state.before) return this.layers.map(() => ({}));
    const kept = this.valuesOf(state);
    return this.layers.map(({ names, places }, number) =>
      Object.fromEntries(names.map((name, k) => [name, kept[number][places[k]]])));
  }

  /* The product of a symbol's vector with the kernel of the first layer. */
  rowOf(id) {
    if (!this.table[id]) {
      this.table[id] = new Float32Array(this.layers[0].forward.inputs[0].length);
      multiply(this.embedding[id], this.layers[0].kernel, this.table[id]);
    }
    return this.table[id];
  }

  /* Run all layers once; their values stay in the programs. Gives the states after the step, one after the other. */
  advance(before, id) {
    const { hidden, units } = this, data = new Float32Array(this.width);
    let place = 0;
    this.layers.forEach(({ kernel, starts, forward }, number) => {
      const { inputs, outputs } = forward, first = place;
      if (number) multiply(hidden, kernel, inputs[0]);
      else inputs[0].set(this.rowOf(id));
      for (let k = 0; k < starts.length; k++) inputs[k + 1].set(before.subarray(first + k * units, first + (k + 1) * units));
      forward.run();
      for (let k = 0; k < starts.length; k++, place += units) data.set(outputs[k], place);
      if (number && this.residual) BINARY.add(hidden, outputs[0], hidden);
      else hidden.set(outputs[0]);
    });
    return data;
  }

  copyValues() {
    return this.layers.map(layer => layer.distinct.map(one => one.slice()));
  }

  valuesOf(state) {
    if (!state.kept) {
      this.advance(state.before.data, state.id);
      state.kept = this.copyValues();
    }
    return state.kept;
  }

  readOut(state) {
    if (this.latest.state === state) return this.latest.logits;
    const { hidden, units, layers } = this, [kernel, bias] = this.dense, logits = new Float32Array(bias.length);
    const size = layers[0].starts.length * units;
    hidden.fill(0);
    for (let number = this.residual ? 0 : layers.length - 1; number < layers.length; number++)
      BINARY.add(hidden, state.data.subarray(number * size, number * size + units), hidden);
    multiply(hidden, kernel, logits);
    BINARY.add(logits, bias, logits);
    this.latest = { state, logits };
    return logits;
  }

  connectivity(states, output) {
    return this.connecting(states, output, Infinity).next().value;
  }

  *connecting(states, output, slice = 8) {
    const norms = new Float32Array(states.length), hidden = new Float32Array(this.units);
    const carried = this.layers.map(layer => layer.starts.map(() => new Float32Array(this.units)));
    let until = performance.now() + slice;
    for (let step = states.length - 1; step >= 0; step--) {
      const kept = this.valuesOf(states[step]);
      if (step === states.length - 1) this.dense[0].forEach((row, unit) => hidden[unit] = row[output]);
      else hidden.fill(0);
      for (let number = this.layers.length - 1; number > 0; number--) {
        const below = new Float32Array(this.units);
        multiplyTransposed(this.goBack(number, kept[number], hidden, carried[number]), this.layers[number].kernel, below);
        if (this.residual) BINARY.add(hidden, below, hidden);
        else hidden.set(below);
      }
      norms[step] = this.normOf(this.goBack(0, kept[0], hidden, carried[0]));
      if (performance.now() > until) {
        yield;
        until = performance.now() + slice;
      }
    }
    return norms;
  }

  /* One layer, one step back: the gradient by the products with its kernel; `carried` becomes that by the states. */
  goBack(number, kept, hidden, carried) {
    const { back, places, names, carried: numbers } = this.layers[number], { inputs, outputs } = back;
    const slopes = inputs.length - carried.length;
    for (let k = 0; k < slopes; k++) inputs[k].set(kept[places[names.length + k]]);
    BINARY.add(carried[0], hidden, carried[0]);
    carried.forEach((one, k) => inputs[slopes + k].set(one));
    back.run();
    carried.forEach(one => one.fill(0));
    numbers.forEach((state, k) => carried[state].set(outputs[k + 1]));
    return outputs[0];
  }

  /* The squared norm of a gradient by a symbol read, from that by the products with the kernel. */
  normOf(delta) {
    let rows = this.table, x = delta;
    if (this.embedding && this.symbols.length > this.embedding[0].length) {
      rows = this.embedding;
      x = new Float32Array(rows[0].length);
      multiplyTransposed(delta, this.layers[0].kernel, x);
    } else if (this.embedding) this.symbols.forEach((_, id) => this.rowOf(id));
    const gradient = new Float32Array(rows.length);
    multiplyTransposed(x, rows, gradient);
    return gradient.reduce((sum, one) => sum + one * one, 0);
  }
}

/* The descriptions of all models on the page, in the order of the command line. */
const readDescriptions = () => JSON.parse(document.getElementById("models").textContent);
