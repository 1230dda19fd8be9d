// A computation graph of numbers: its values forward, its gradients backward. Nothing is drawn here.

/**
 * One box of two inputs: what it computes, and how far its result follows each of them.
 * @typedef {{sign: string, value: (x: number, y: number) => number,
 *   slopes: (x: number, y: number) => [number, number]}} Operation
 */

/** @type {Record<string, Operation>} */
export const OPERATIONS = {
  sum: { sign: "+", value: (x, y) => x + y, slopes: () => [1, 1] },
  product: { sign: "·", value: (x, y) => x * y, slopes: (x, y) => [y, x] },
  // Where both are equal the first one wins, as in the course's max pooling.
  maximum: { sign: "max", value: Math.max, slopes: (x, y) => (x >= y ? [1, 0] : [0, 1]) },
};

/** @typedef {{name: string, of: readonly [string, string], operation: string}} Box in the order of computing */

/**
 * @param {readonly Box[]} boxes
 * @param {Record<string, number>} leaves
 * @returns {Record<string, number>} the value of each leaf and each box
 */
export function forward(boxes, leaves) {
  const values = { ...leaves };
  for (const { name, of: [x, y], operation } of boxes) values[name] = OPERATIONS[operation].value(values[x], values[y]);
  return values;
}

/**
 * The derivative of the last box with respect to everything before it.
 * @param {readonly Box[]} boxes
 * @param {Record<string, number>} values as `forward` gives them
 * @returns {{at: Record<string, number>, along: Record<string, [number, number]>}} for each leaf
 *   and box, and for each box what it hands to its two inputs
 */
export function backward(boxes, values) {
  /** @type {Record<string, number>} */
  const at = Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
  /** @type {Record<string, [number, number]>} */
  const along = {};
  at[boxes[boxes.length - 1].name] = 1;
  for (const { name, of: [x, y], operation } of [...boxes].reverse()) {
    const [toX, toY] = OPERATIONS[operation].slopes(values[x], values[y]);
    along[name] = [at[name] * toX, at[name] * toY];
    at[x] += along[name][0];
    at[y] += along[name][1];
  }
  return { at, along };
}
