// The number that decides a draw: Philox4x32-10 (Salmon et al., SC 2011), keyed by the seed, counting the position. The
// same published generator runs in heatbath.sampling.random, so page and server draw the same token.

const LOW = 0xffffffffn;

/** A number in [0, 1), a multiple of 2^-53, for decision `position` of the stream with this seed. */
export function uniform(seed, position = 0) {
  const key64 = BigInt.asUintN(64, BigInt(seed));
  let [k0, k1] = [key64 & LOW, key64 >> 32n];
  let [c0, c1, c2, c3] = [BigInt(position) & LOW, BigInt(position) >> 32n, 0n, 0n];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & LOW, (a >> 32n) ^ c3 ^ k1, a & LOW];
    [k0, k1] = [(k0 + 0x9e3779b9n) & LOW, (k1 + 0xbb67ae85n) & LOW];
  }
  return (Number(c0 >> 5n) * 2 ** 26 + Number(c1 >> 6n)) * 2 ** -53;
}
