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
 * How far a window reaches: with dilation there are gaps between its weights.
 * @param {number} window
 * @param {number} dilation
 */
export const reach = (window, dilation) => (window - 1) * dilation + 1;

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
 * How a window slides.
 * @typedef {{strides?: Pair, padding?: Padding, dilation?: Pair}} Sliding
 */

/**
 * Where a window lies on its input at each place of the output.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {Sliding} settings
 */
function slide(inputs, size, { strides = [1, 1], padding = "valid", dilation = [1, 1] }) {
  const [high, wide] = [reach(size[0], dilation[0]), reach(size[1], dilation[1])];
  const rows = paddingAlong(inputs.height, high, strides[0], padding, 0);
  const columns = paddingAlong(inputs.width, wide, strides[1], padding, 1);
  return {
    strides,
    dilation,
    above: rows[0],
    before: columns[0],
    height: outputLength(inputs.height, high, strides[0], rows),
    width: outputLength(inputs.width, wide, strides[1], columns),
  };
}

/**
 * Convolution, as networks mean it: the kernel is laid on the input, not flipped.
 *
 * For each output pixel, every input number under the kernel is multiplied by its weight for
 * each filter, and the products are added to that filter's sum. What lies in the padding is
 * zero and would add nothing, so it is skipped. With groups a filter reads only the channels
 * of its own group.
 * @param {Maps} inputs
 * @param {Float32Array} kernel shape (height, width, channels in / groups, filters)
 * @param {Pair} size height and width of the kernel
 * @param {Float32Array | null} bias one number per filter
 * @param {Sliding & {groups?: number}} [settings]
 * @returns {Maps}
 */
export function conv2d(inputs, kernel, size, bias, settings = {}) {
  const { groups = 1 } = settings;
  const { strides, dilation, above, before, height, width } = slide(inputs, size, settings);
  const depth = inputs.channels / groups;
  const filters = kernel.length / (size[0] * size[1] * depth);
  const share = filters / groups;
  const outputs = zeros(height, width, filters);
  const sums = new Float64Array(filters);
  let place = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, place += filters) {
      sums.fill(0);
      for (let i = 0; i < size[0]; i++) {
        const y = row * strides[0] - above + i * dilation[0];
        if (y < 0 || y >= inputs.height) continue;
        for (let j = 0; j < size[1]; j++) {
          const x = column * strides[1] - before + j * dilation[1];
          if (x < 0 || x >= inputs.width) continue;
          const source = (y * inputs.width + x) * inputs.channels;
          const weight = (i * size[1] + j) * depth * filters;
          for (let channel = 0; channel < inputs.channels; channel++) {
            const value = inputs.data[source + channel];
            // Behind a ReLU most inputs are zero, and a zero changes no sum.
            if (value === 0) continue;
            const first = groups === 1 ? 0 : Math.floor(channel / depth) * share;
            const from = weight + (channel % depth) * filters;
            for (let k = first; k < first + share; k++) sums[k] += value * kernel[from + k];
          }
        }
      }
      for (let k = 0; k < filters; k++) outputs.data[place + k] = sums[k] + (bias ? bias[k] : 0);
    }
  }
  return outputs;
}

/**
 * Depthwise convolution: each channel has kernels of its own, and no sum runs over channels.
 * Output channel `c * multiplier + m` is channel c under its kernel m.
 * @param {Maps} inputs
 * @param {Float32Array} kernel shape (height, width, channels, multiplier)
 * @param {Pair} size
 * @param {Float32Array | null} bias one number per output channel
 * @param {Sliding} [settings]
 * @returns {Maps}
 */
export function depthwiseConv2d(inputs, kernel, size, bias, settings = {}) {
  // As many groups as channels; the numbers of the kernel lie in the same order.
  return conv2d(inputs, kernel, size, bias, { ...settings, groups: inputs.channels });
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
 * The same function of every number.
 * @param {Maps} inputs
 * @param {(value: number) => number} of
 * @returns {Maps}
 */
export const each = (inputs, of) => ({ ...inputs, data: inputs.data.map((value) => of(value)) });

/**
 * ReLU: what is negative becomes zero. Its relatives cap it, lower where it begins, or let a
 * part of what is negative through.
 * @param {number} value
 * @param {{max_value?: number | null, negative_slope?: number, threshold?: number}} [settings]
 */
export function relu(value, { max_value: most = null, negative_slope: slope = 0, threshold = 0 } = {}) {
  if (most !== null && value >= most) return most;
  if (!(value < threshold)) return value; // and what is not a number stays so
  return slope === 0 ? 0 : slope * (value - threshold);
}

/** @param {number} value @param {number} alpha where the curve ends on the negative side */
export const elu = (value, alpha) => (value > 0 ? value : alpha * Math.expm1(value));

/** @param {number} value */
export const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/**
 * GELU: a number times the share of a normal distribution that lies below it.
 * @param {number} value
 * @param {boolean} approximate by tanh, as older networks compute it
 */
export function gelu(value, approximate) {
  return approximate
    ? 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)))
    : 0.5 * value * complementaryError(-value / Math.SQRT2);
}

/**
 * 1 − erf(x), to about fifteen digits: a series near zero, a continued fraction further out.
 * @param {number} x
 * @returns {number}
 */
function complementaryError(x) {
  if (Number.isNaN(x)) return NaN;
  if (x < 0) return 2 - complementaryError(-x);
  if (x > 27) return 0;
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/**
 * A scale and an offset for each channel, or one for all.
 * @param {Maps} inputs
 * @param {number[]} scale
 * @param {number[]} offset
 * @returns {Maps}
 */
export function rescaling(inputs, scale, offset) {
  const { channels } = inputs;
  const data = inputs.data.map(
    (value, place) => value * at(scale, place % channels) + at(offset, place % channels),
  );
  return { ...inputs, data };
}

/**
 * The number of a channel, where one may stand for all.
 * @param {number[]} values
 * @param {number} channel
 */
export const at = (values, channel) => values[values.length === 1 ? 0 : channel];

/**
 * Zeros around every map.
 * @param {Maps} inputs
 * @param {[Pair, Pair]} padding [[top, bottom], [left, right]]
 * @returns {Maps}
 */
export function zeroPadding2d(inputs, [[top, bottom], [left, right]]) {
  const { height, width, channels } = inputs;
  const outputs = zeros(top + height + bottom, left + width + right, channels);
  const line = width * channels;
  for (let row = 0; row < height; row++) {
    const target = ((top + row) * outputs.width + left) * channels;
    outputs.data.set(inputs.data.subarray(row * line, (row + 1) * line), target);
  }
  return outputs;
}

/**
 * Number by number: the sum of maps of the same shape, as where a skip connection arrives.
 * @param {Maps[]} all
 * @returns {Maps}
 */
export function add(all) {
  const sum = { ...all[0], data: all[0].data.slice() };
  for (const { data } of all.slice(1)) sum.data.forEach((_, place) => (sum.data[place] += data[place]));
  return sum;
}

/**
 * One number for each window and channel; the padding takes no part.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {Sliding} settings
 * @param {(values: Float32Array) => number} summary
 * @returns {Maps}
 */
function pool2d(inputs, size, settings, summary) {
  const { strides, above, before, height, width } = slide(inputs, size, { strides: size, ...settings });
  const outputs = zeros(height, width, inputs.channels);
  const values = new Float32Array(size[0] * size[1]);
  let place = 0;
  for (let row = 0; row < outputs.height; row++) {
    const top = row * strides[0] - above;
    const [firstRow, endRow] = inside(top, size[0], inputs.height);
    for (let column = 0; column < outputs.width; column++) {
      const left = column * strides[1] - before;
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
 * @param {Sliding} [settings]
 */
export const averagePool2d = (inputs, size, settings = {}) =>
  pool2d(inputs, size, settings, mean);

/**
 * Max pooling.
 * @param {Maps} inputs
 * @param {Pair} size
 * @param {Sliding} [settings]
 */
export const maxPool2d = (inputs, size, settings = {}) =>
  pool2d(inputs, size, settings, (values) => values.reduce((most, value) => Math.max(most, value), -Infinity));

/**
 * Global average pooling: a pool as large as the map, so each map becomes one number.
 * @param {Maps} inputs
 */
export const globalAveragePool2d = (inputs) =>
  averagePool2d(inputs, [inputs.height, inputs.width]);

/**
 * Global max pooling: of each map only the largest number goes on.
 * @param {Maps} inputs
 */
export const globalMaxPool2d = (inputs) => maxPool2d(inputs, [inputs.height, inputs.width]);

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
    const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
    const powers = Array.from(values, (value) => Math.exp(value - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    powers.forEach((power, k) => (data[start + k] = power / total));
  }
  return { ...inputs, data };
}
