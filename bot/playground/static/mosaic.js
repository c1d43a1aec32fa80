// How the pictures of an album share its width: full rows whose heights follow from the ratios.

const TALLEST = 1.25; // height of the whole, in widths
const mostInARow = (count) => (count > 9 ? 4 : 3); // four are too small to see on a phone

// All ways to cut `count` pictures into rows.
function* partitions(count, most) {
  if (count === 0) yield [];
  for (let first = 1; first <= Math.min(count, most); first += 1) {
    for (const rest of partitions(count - first, most)) yield [first, ...rest];
  }
}

function cost(rows, ratios) {
  let start = 0;
  let height = 0;
  let uneven = 0;
  let previous = 0;
  for (const length of rows) {
    const width = ratios.slice(start, start + length).reduce((sum, ratio) => sum + ratio, 0);
    const rowHeight = 1 / width;
    height += rowHeight;
    // Rows of much the same height look calm; a row of its own suits the first picture best.
    if (previous) uneven += Math.abs(Math.log(rowHeight / previous));
    if (length === 1 && start > 0) uneven += 0.9;
    previous = rowHeight;
    start += length;
  }
  return Math.abs(Math.log(height / TALLEST)) * 1.5 + uneven * 0.6;
}

// `ratios`: width / height of each picture. Gives rows of indices, with the ratio of each row.
export function mosaic(ratios) {
  const calm = ratios.map((ratio) => Math.min(Math.max(ratio, 0.6), 1.9));
  let best = null;
  for (const rows of partitions(calm.length, mostInARow(calm.length))) {
    const price = cost(rows, calm);
    if (!best || price < best.price) best = { rows, price };
  }
  let start = 0;
  return best.rows.map((length) => {
    const items = calm.slice(start, start + length).map((ratio, i) => ({ index: start + i, ratio }));
    start += length;
    return { items, ratio: items.reduce((sum, item) => sum + item.ratio, 0) };
  });
}
