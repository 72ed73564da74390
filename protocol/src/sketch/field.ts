/*
 * The field of 2^32 elements: a word's bits are the coefficients of a polynomial over two elements, products are taken
 * modulo x^32 + x^7 + x^3 + x^2 + 1. The sum is the exclusive or.
 */

/** x^32 in the field. */
const REST = 0x8d;

/** The product of two elements. */
export function times(a: number, b: number): number {
  let product = 0;
  for (let left = b, bit = 0; bit < 32; bit += 1, left <<= 1)
    product = (product << 1) ^ ((product >> 31) & REST) ^ ((left >> 31) & a);
  return product >>> 0;
}

/**
 * What gives 1 when it is multiplied by `a`; 0 for 0. It is a to the power of 2^32 - 2: the exponents 2^n - 1 double
 * their n by n squarings and a product (Itoh and Tsujii, 1988).
 */
export function inverse(a: number): number {
  const three = times(powered(times(powered(a, 1), a), 1), a);
  const seven = times(powered(times(powered(three, 3), three), 1), a);
  const fifteen = times(powered(times(powered(seven, 7), seven), 1), a);
  const thirtyOne = times(powered(times(powered(fifteen, 15), fifteen), 1), a);
  return powered(thirtyOne, 1);
}

/** Squared so many times. */
function powered(a: number, squarings: number): number {
  let power = a;
  for (let i = 0; i < squarings; i += 1) power = times(power, power);
  return power;
}
