import { qrOf } from "./qr";

/** A digest to be read by a camera. It is dark on light in both themes: readers want that. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const rows = qrOf(text);
  const size = rows.length + 8;
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join("");
  return (
    <svg className="edge-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} />
      <path d={path} />
    </svg>
  );
}
