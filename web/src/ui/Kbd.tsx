/** Keys as printed on the keyboard: "Ctrl K", "g p". */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="keys">
      {keys.split(" ").map((key, at) => (
        <kbd key={at}>{key}</kbd>
      ))}
    </span>
  );
}
