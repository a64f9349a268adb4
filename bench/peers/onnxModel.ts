// Writes ONNX files: the fields of its protocol buffers that a graph of standard operations needs.
// Numbers of fields: github.com/onnx/onnx, onnx/onnx.proto.

/** One field: an integer, bytes, text, or a message made of fields. */
function field(number: number, value: number | Uint8Array | string | readonly Uint8Array[]): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes =
    typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value as string) : Buffer.concat(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const FLOAT = 1;

/** Builds a graph node by node; values are named in order. */
export class Graph {
  readonly #nodes: Buffer[][] = [];
  readonly #weights: Buffer[][] = [];
  #count = 0;

  /** Adds a constant; returns its name. */
  weight(values: Float32Array, shape: readonly number[]): string {
    const name = `w${this.#count++}`;
    const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    this.#weights.push([...shape.map((length) => field(1, length)), field(2, FLOAT), field(8, name), field(9, raw)]);
    return name;
  }

  /** Adds an operation with attributes of integers or lists of them; returns the name of its result. */
  node(
    operation: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): string {
    const name = `y${this.#count++}`;
    const given = Object.entries(attributes).map(([key, value]) => {
      if (typeof value === 'number') return field(5, [field(1, key), field(3, value), field(20, 2)]);
      return field(5, [field(1, key), ...value.map((each) => field(8, each)), field(20, 7)]);
    });
    this.#nodes.push([...inputs.map((each) => field(1, each)), field(2, name), field(4, operation), ...given]);
    return name;
  }

  /** The model's bytes, from `inputs` (names with shapes) to the value `output`. */
  bytes(inputs: Readonly<Record<string, readonly number[]>>, output: string): Buffer {
    const dims = (shape: readonly number[]): Buffer =>
      field(
        2,
        shape.map((length) => field(1, [field(1, length)])),
      );
    const tensor = (shape: readonly number[] | null): Buffer =>
      field(2, [field(1, [field(1, FLOAT), ...(shape ? [dims(shape)] : [])])]);
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
