/** The sign of the product: a run strip with a lever thrown. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 22 22" aria-hidden="true">
      <path d="M3 19V9M8 19V5M18 19V8" fill="none" stroke="currentColor" strokeWidth="3" />
      <path d="M12 19 15 2" fill="none" stroke="var(--accent)" strokeWidth="3" />
      <path d="M1 21.5h20" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}
