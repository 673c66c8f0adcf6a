/** Batches of puts and deletes, of all sizes that matter to the framing: the same on every call. */

const SIZES = [0, 1, 127, 128, 1000, 16_384, 32_700, 32_761, 40_000, 100_000];

/** Each a batch; keys come again, so that order shows. */
export const SCRIPT = SIZES.flatMap((size, round) => {
  const key = (name) => `${name}${round % 4}`;
  const value = String.fromCodePoint(0xe0 + round).repeat(size);
  return [
    [{ type: 'put', key: key('single'), value }],
    [
      { type: 'put', key: key('batch'), value: `first ${round}` },
      { type: 'put', key: `\u0000\u00ff${round}`, value },
      { type: 'put', key: key('batch'), value: `second ${round}` },
    ],
    [{ type: 'put', key: `gone${round}`, value }],
    [
      { type: 'del', key: `gone${round}` },
      { type: 'del', key: 'was never there' },
      { type: 'put', key: key('kept'), value },
    ],
    [{ type: 'del', key: key('single') }],
    [{ type: 'put', key: `${'long key '.repeat(20)}${round}`, value: '' }],
  ];
});
