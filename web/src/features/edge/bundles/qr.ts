// A QR code of one fixed kind is enough for a SHA-256: version 3, level L, its 64 letters and digits in the alphanumeric mode.
// The kind fixes the size, the places of everything but the data, and one block of error correction.

const side = 29;
const dataWords = 55;
const checkWords = 15;
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/** Level L with mask 0, with its own check bits. */
const format = 0b111011111000100;

/** The squares of the code, row by row; true is dark. */
export function qrOf(text: string): boolean[][] {
  const data = dataOf(text.toUpperCase());
  return withFormat(placed([...data, ...checkOf(data)]));
}

function dataOf(text: string): number[] {
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >> at) & 1);
  };
  put(0b0010, 4);
  put(text.length, 9);
  for (let at = 0; at < text.length; at += 2) {
    const first = letters.indexOf(text.charAt(at));
    if (at + 1 < text.length) put(first * 45 + letters.indexOf(text.charAt(at + 1)), 11);
    else put(first, 6);
  }
  if (bits.length > dataWords * 8) throw new RangeError("too long for this kind of code");
  put(0, Math.min(4, dataWords * 8 - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  const words: number[] = [];
  for (let at = 0; at < bits.length; at += 8) words.push(bits.slice(at, at + 8).reduce((word, bit) => word * 2 + bit, 0));
  for (let at = 0; words.length < dataWords; at++) words.push(at % 2 === 0 ? 0xec : 0x11);
  return words;
}

/** Multiplies in the field of 256 that QR codes reckon in. */
function times(a: number, b: number): number {
  let product = 0;
  for (let at = 7; at >= 0; at--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> at) & 1) * a;
  }
  return product;
}

function checkOf(data: number[]): number[] {
  const divisor: number[] = Array.from({ length: checkWords }, (_, at) => (at === checkWords - 1 ? 1 : 0));
  for (let root = 1, step = 0; step < checkWords; step++, root = times(root, 2)) {
    for (let at = 0; at < checkWords; at++) divisor[at] = times(divisor[at] ?? 0, root) ^ (divisor[at + 1] ?? 0);
  }
  const rest = Array.from({ length: checkWords }, () => 0);
  for (const word of data) {
    const factor = word ^ (rest.shift() ?? 0);
    rest.push(0);
    divisor.forEach((one, at) => (rest[at] = (rest[at] ?? 0) ^ times(one, factor)));
  }
  return rest;
}

type Square = boolean | undefined;

/** Finders, timing, the one alignment pattern and the dark square; undefined is where data goes. */
function frame(): Square[][] {
  const map: Square[][] = Array.from({ length: side }, () => Array.from({ length: side }, () => undefined));
  const set = (row: number, column: number, dark: boolean) => {
    const line = map[row];
    if (line && column >= 0 && column < side) line[column] = dark;
  };
  for (let at = 0; at < side; at++) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  for (const [row, column] of [[3, 3], [3, side - 4], [side - 4, 3]] as const) {
    for (let dy = -4; dy <= 4; dy++) for (let dx = -4; dx <= 4; dx++) set(row + dy, column + dx, ![2, 4].includes(Math.max(Math.abs(dx), Math.abs(dy))));
  }
  for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) set(22 + dy, 22 + dx, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
  for (let at = 0; at < 9; at++) {
    if (at !== 6) {
      set(8, at, false);
      set(at, 8, false);
    }
    if (at < 8) {
      set(8, side - 1 - at, false);
      set(side - 1 - at, 8, false);
    }
  }
  set(side - 8, 8, true);
  return map;
}

/** Lays the bits in columns of two from the right, up and down in turn, and flips them by mask 0. */
function placed(words: number[]): boolean[][] {
  const map = frame();
  const bit = (at: number) => (((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) === 1;
  let at = 0;
  for (let right = side - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < side; step++) {
      for (const column of [right, right - 1]) {
        const row = ((right + 1) & 2) === 0 ? side - 1 - step : step;
        const line = map[row];
        if (line && line[column] === undefined) line[column] = bit(at++) !== ((row + column) % 2 === 0);
      }
    }
  }
  return map.map((line) => line.map(Boolean));
}

function withFormat(map: boolean[][]): boolean[][] {
  const set = (row: number, column: number, at: number) => {
    const line = map[row];
    if (line) line[column] = ((format >> at) & 1) === 1;
  };
  for (let at = 0; at < 15; at++) {
    if (at < 6) set(at, 8, at);
    else if (at < 8) set(at + 1, 8, at);
    else if (at === 8) set(8, 7, at);
    else set(8, 14 - at, at);
    if (at < 8) set(8, side - 1 - at, at);
    else set(side - 15 + at, 8, at);
  }
  return map;
}
