// The layers of the course, told a third time: NumPy, Keras, and here in the reader's browser.
// Only arithmetic on arrays belongs here; files, pictures and the page have modules of their own.
//
// Numbers are kept in single precision, as Keras keeps them. JavaScript adds in double
// precision, so a sum of thousands of products is rounded once, when it is stored.

/**
 * Maps of one image, channels last: the value of map k at row r, column c stands at
 * `data[(r * width + c) * channels + k]`.
 * @typedef {{height: number, width: number, channels: number, data: Float32Array}} Maps
 */

/**
 * "valid", "same" (TensorFlow's rule), or zeros to add: [[top, bottom], [left, right]].
 * @typedef {"valid" | "same" | [[number, number], [number, number]]} Padding
 */

/** @typedef {[number, number]} Pair height or row first, width or column second */

/**
 * Maps full of zeros.
 * @param {number} height
 * @param {number} width
 * @param {number} channels
 * @returns {Maps}
 */
export function zeros(height, width, channels) {
  return { height, width, channels, data: new Float32Array(height * width * channels) };
}

/**
 * How many zeros stand before the first and behind the last pixel along one axis.
 *
 * "same" adds as many as make the output ceil(size / stride) long, and puts the odd one
 * behind: that is TensorFlow's rule, and the reason why a strided layer looks off-centre.
 * @param {number} size
 * @param {number} window length of the kernel or the pool along this axis
 * @param {number} stride
 * @param {Padding} padding
 * @param {0 | 1} axis 0 for rows, 1 for columns
 * @returns {Pair}
 */
export function paddingAlong(size, window, stride, padding, axis) {
  if (padding === "valid") return [0, 0];
  if (padding !== "same") return padding[axis];
  const outputs = Math.ceil(size / stride);
  const total = Math.max((outputs - 1) * stride + window - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/**
 * Length of the output along one axis: the number of places where the window fits.
 * @param {number} size
 * @param {number} window
 * @param {number} stride
 * @param {Pair} zerosAround
 */
export function outputLength(size, window, stride, [before, after]) {
  return Math.floor((size + before + after - window) / stride) + 1;
}

/**
 * What a window covers along one axis, cut at the borders of the input.
 * @param {number} start first row or column of the window, negative in the padding
 * @param {number} window
 * @param {number} size
 * @returns {Pair} first position within the window, and one behind the last
 */
function inside(start, window, size) {
  return [Math.max(0, -start), Math.min(window, size - start)];
}

/**
 * Convolution, as networks mean it: the kernel is laid on the input, not flipped.
 *
 * For each output pixel, every input number under the kernel is multiplied by its weight for
 * each filter, and the products are added to that filter's sum. What lies in the padding is
 * zero and would add nothing, so it is skipped.
 * @param {Maps} inputs
 * @param {Float32Array} kernel shape (height, width, channels in, filters)
 * @param {Pair} size height and width of the kernel
 * @param {Float32Array | null} bias one number per filter
 * @param {{strides?: Pair, padding?: Padding}} [settings]
 * @returns {Maps}
 */
export function conv2d(inputs, kernel, size, bias, settings = {}) {
  const { strides = [1, 1], padding = "valid" } = settings;
  const { channels } = inputs;
  const filters = kernel.length / (size[0] * size[1] * channels);
  const rows = paddingAlong(inputs.height, size[0], strides[0], padding, 0);
  const columns = paddingAlong(inputs.width, size[1], strides[1], padding, 1);
  const outputs = zeros(
    outputLength(inputs.height, size[0], strides[0], rows),
    outputLength(inputs.width, size[1], strides[1], columns),
    filters,
  );
  const sums = new Float64Array(filters);
  let place = 0;
  for (let row = 0; row < outputs.height; row++) {
    const top = row * strides[0] - rows[0];
    const [firstRow, endRow] = inside(top, size[0], inputs.height);
    for (let column = 0; column < outputs.width; column++, place += filters) {
      const left = column * strides[1] - columns[0];
      const [firstColumn, endColumn] = inside(left, size[1], inputs.width);
      sums.fill(0);
      for (let i = firstRow; i < endRow; i++) {
        // Within one row of the window, input and kernel both lie in one piece.
        let source = ((top + i) * inputs.width + left + firstColumn) * channels;
        let weight = (i * size[1] + firstColumn) * channels * filters;
        const end = source + (endColumn - firstColumn) * channels;
        for (; source < end; source++, weight += filters) {
          const value = inputs.data[source];
          // Behind a ReLU most inputs are zero, and a zero changes no sum.
          if (value === 0) continue;
          for (let k = 0; k < filters; k++) sums[k] += value * kernel[weight + k];
        }
      }
      for (let k = 0; k < filters; k++) outputs.data[place + k] = sums[k] + (bias ? bias[k] : 0);
    }
  }
  return outputs;
}

/**
 * A dense layer is a convolution with a kernel of one pixel: every output sees all channels.
 * @param {Maps} inputs
 * @param {Float32Array} kernel shape (channels in, units)
 * @param {Float32Array | null} bias
 */
export function dense(inputs, kernel, bias) {
  return conv2d(inputs, kernel, [1, 1], bias);
}

/**
 * The four numbers that batch normalization holds for each channel; gamma and beta may be absent.
 * @typedef {{gamma?: Float32Array, beta?: Float32Array, moving_mean: Float32Array,
 *   moving_variance: Float32Array}} Moments
 */

/**
 * Batch normalization with the moving statistics: for each channel one scale and one offset.
 * @param {Maps} inputs
 * @param {Moments} moments
 * @param {number} epsilon keeps the root away from zero
 * @returns {Maps}
 */
export function batchNormalization(inputs, moments, epsilon) {
  const { gamma, beta, moving_mean: mean, moving_variance: variance } = moments;
  const outputs = zeros(inputs.height, inputs.width, inputs.channels);
  for (let k = 0; k < inputs.channels; k++) {
    const scale = (gamma ? gamma[k] : 1) / Math.sqrt(variance[k] + epsilon);
    const offset = beta ? beta[k] : 0;
    for (let place = k; place < inputs.data.length; place += inputs.channels) {
      outputs.data[place] = (inputs.data[place] - mean[k]) * scale + offset;
    }
  }
  return outputs;
}

/**
 * ReLU: what is negative becomes zero.
 * @param {Maps} inputs
 * @returns {Maps}
 */
export function relu(inputs) {
  return { ...inputs, data: inputs.data.map((value) => Math.max(0, value)) };
}

/**
 * One number for each window and channel; the padding takes no part.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {{strides?: Pair, padding?: Padding}} settings
 * @param {(values: Float32Array) => number} summary
 * @returns {Maps}
 */
function pool2d(inputs, size, settings, summary) {
  const { strides = size, padding = "valid" } = settings;
  const rows = paddingAlong(inputs.height, size[0], strides[0], padding, 0);
  const columns = paddingAlong(inputs.width, size[1], strides[1], padding, 1);
  const outputs = zeros(
    outputLength(inputs.height, size[0], strides[0], rows),
    outputLength(inputs.width, size[1], strides[1], columns),
    inputs.channels,
  );
  const values = new Float32Array(size[0] * size[1]);
  let place = 0;
  for (let row = 0; row < outputs.height; row++) {
    const top = row * strides[0] - rows[0];
    const [firstRow, endRow] = inside(top, size[0], inputs.height);
    for (let column = 0; column < outputs.width; column++) {
      const left = column * strides[1] - columns[0];
      const [firstColumn, endColumn] = inside(left, size[1], inputs.width);
      for (let k = 0; k < inputs.channels; k++) {
        let count = 0;
        for (let i = firstRow; i < endRow; i++) {
          for (let j = firstColumn; j < endColumn; j++) {
            const source = (top + i) * inputs.width + left + j;
            values[count++] = inputs.data[source * inputs.channels + k];
          }
        }
        outputs.data[place++] = summary(values.subarray(0, count));
      }
    }
  }
  return outputs;
}

/** @param {Float32Array} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Average pooling.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {{strides?: Pair, padding?: Padding}} [settings]
 */
export const averagePool2d = (inputs, size, settings = {}) =>
  pool2d(inputs, size, settings, mean);

/**
 * Max pooling.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {{strides?: Pair, padding?: Padding}} [settings]
 */
export const maxPool2d = (inputs, size, settings = {}) =>
  pool2d(inputs, size, settings, (values) => Math.max(...values));

/**
 * Global average pooling: a pool as large as the map, so each map becomes one number.
 * @param {Maps} inputs
 */
export const globalAveragePool2d = (inputs) =>
  averagePool2d(inputs, [inputs.height, inputs.width]);

/**
 * Flatten: the same numbers in the same order, as one row.
 * @param {Maps} inputs
 * @returns {Maps}
 */
export function flatten(inputs) {
  return { height: 1, width: 1, channels: inputs.data.length, data: inputs.data };
}

/**
 * Softmax over the channels. The largest number is subtracted first: that changes no ratio
 * and keeps the exponential finite.
 * @param {Maps} inputs
 * @returns {Maps}
 */
export function softmax(inputs) {
  const { channels } = inputs;
  const data = new Float32Array(inputs.data.length);
  for (let start = 0; start < data.length; start += channels) {
    const values = inputs.data.subarray(start, start + channels);
    const largest = Math.max(...values);
    const powers = Array.from(values, (value) => Math.exp(value - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    powers.forEach((power, k) => (data[start + k] = power / total));
  }
  return { ...inputs, data };
}
