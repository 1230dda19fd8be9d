// The last wish of a reader counts. Whatever waits (for a file, a download, the camera, the
// background thread) asks after each wait whether it is still what was wished for last.

/**
 * What happened in the meantime: another wish.
 */
class Outdated extends Error {}

/** One thing that can be wished for at a time, such as the network that is shown. */
export class Wish {
  /** @param {(error: unknown) => void} onError what the last wish failed of */
  constructor(onError) {
    this.onError = onError;
    this.controller = new AbortController();
  }

  /** Gives up what is under way; its results will not be used. */
  drop() {
    this.controller.abort(new Outdated());
    this.controller = new AbortController();
  }

  /**
   * A new wish; the one before it is given up.
   * @param {(still: <T>(promise: Promise<T> | T) => Promise<T>, signal: AbortSignal) => Promise<void>} steps
   *   `still` waits, and ends the steps when another wish was made in the meantime
   * @returns {Promise<boolean>} whether it was fulfilled
   */
  async make(steps) {
    this.drop();
    const { signal } = this.controller;
    try {
      await steps(async (promise) => {
        const value = await promise;
        signal.throwIfAborted();
        return value;
      }, signal);
      return !signal.aborted;
    } catch (error) {
      if (!signal.aborted) this.onError(error);
      return false;
    }
  }
}
