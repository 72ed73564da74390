/** A source of random numbers, handed in so that a run can be repeated from its seed. */
export interface Random {
  /** An integer from 0 up to, not including, `bound` (1 to 2^32). */
  below(bound: number): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/**
 * A repeatable source (xoshiro128**, Blackman and Vigna 2018), for simulation and test data; never for keys.
 * @param seed any integer; equal seeds give equal sequences
 */
export function seededRandom(seed: number): Random {
  const mix = splitmix32(seed);
  const next = xoshiro128(mix(), mix(), mix(), mix());
  return {
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let i = 0; i < words.length; i += 1) words[i] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}

/** The generator from its state, four words of which at least one is not zero; each call draws a word. */
export function xoshiro128(s0: number, s1: number, s2: number, s3: number): () => number {
  let [a, b, c, d] = [s0, s1, s2, s3];
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result >>> 0;
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
}
