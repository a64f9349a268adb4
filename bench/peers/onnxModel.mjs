// ONNX files without a library: the few fields of its protocol buffers that a graph of standard operations needs.
// Numbers of fields: github.com/onnx/onnx, onnx/onnx.proto.

/** One field: a whole number, bytes, text, or a message made of fields. */
function field(number, value) {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const FLOAT = 1;

/** A graph that grows node by node; names of values are given out in order. */
export class Graph {
  #nodes = [];
  #weights = [];
  #count = 0;

  /** A constant; gives its name. */
  weight(values, shape) {
    const name = `w${this.#count++}`;
    const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    this.#weights.push([...shape.map((length) => field(1, length)), field(2, FLOAT), field(8, name), field(9, raw)]);
    return name;
  }

  /** An operation; attributes are whole numbers or lists of them. Gives the name of its result. */
  node(operation, inputs, attributes = {}) {
    const name = `y${this.#count++}`;
    const given = Object.entries(attributes).map(([key, value]) => {
      const isList = Array.isArray(value);
      const values = isList ? value.map((each) => field(8, each)) : [field(3, value)];
      return field(5, [field(1, key), ...values, field(20, isList ? 7 : 2)]);
    });
    this.#nodes.push([...inputs.map((each) => field(1, each)), field(2, name), field(4, operation), ...given]);
    return name;
  }

  /** The model's bytes, from `inputs` (names with shapes) to the value `output`. */
  bytes(inputs, output) {
    const dims = (shape) => field(2, shape.map((length) => field(1, [field(1, length)])));
    const tensor = (shape) => field(2, [field(1, [field(1, FLOAT), ...(shape ? [dims(shape)] : [])])]);
    const graph = [
      ...this.#nodes.map((node) => field(1, node)),
      field(2, 'work'),
      ...this.#weights.map((weight) => field(5, weight)),
      ...Object.entries(inputs).map(([name, shape]) => field(11, [field(1, name), tensor(shape)])),
      field(12, [field(1, output), tensor(null)]),
    ];
    return Buffer.concat([field(1, 8), field(7, graph), field(8, [field(1, ''), field(2, 17)])]);
  }
}
