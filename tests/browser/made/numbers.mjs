// What all made-up runs are made from.

// A small generator of numbers, so that a sample is the same on every machine.
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

export const round = (value, digits = 6) => Number(value.toFixed(digits));
export const BINS = 240;

// Requests per second at a moment: two waves.
export const load = (t) =>
  4 + 14 * Math.exp(-(((t - 200) / 70) ** 2)) + 8 * Math.exp(-(((t - 430) / 40) ** 2));
