import { Link } from "@tanstack/react-router";
import { parts, type Piece } from "./answer";
import { refsOf } from "./refs";
import type { Ground } from "./queries";

type Props = {
  text: string;
  base: string;
  /** Which calls hold the facts; with `onRef` each line names them. */
  grounds?: Ground[];
  onRef?: (step: number) => void;
};

/** An answer's text, with links into this server opened in place. */
export function Answer({ text, base, grounds = [], onRef }: Props) {
  const line = (pieces: Piece[]) => (
    <>
      <Line pieces={pieces} base={base} />
      {onRef && <Refs steps={refsOf(pieces, grounds)} onRef={onRef} />}
    </>
  );
  return (
    <div className="assistant-answer">
      {parts(text).map((part, at) => {
        if (part.kind === "text") return <p key={at}>{line(part.pieces)}</p>;
        const items = part.items.map((item, n) => <li key={n}>{line(item)}</li>);
        return part.kind === "list" ? <ul key={at}>{items}</ul> : <ul key={at} className="quoted" aria-label="Quoted">{items}</ul>;
      })}
    </div>
  );
}

function Refs({ steps, onRef }: { steps: number[]; onRef: (step: number) => void }) {
  if (steps.length === 0) return null;
  return (
    <span className="refs">
      {steps.map((step) => (
        <button key={step} type="button" aria-label={`From look-up ${step}`} onClick={() => onRef(step)}>
          {step}
        </button>
      ))}
    </span>
  );
}

function Line({ pieces, base }: { pieces: Piece[]; base: string }) {
  return pieces.map((piece, at) => {
    if (piece.kind === "strong") return <strong key={at}>{piece.text}</strong>;
    if (piece.kind === "code") return <code key={at}>{piece.text}</code>;
    if (piece.kind !== "link") return <span key={at}>{piece.text}</span>;
    const own = base && piece.url.startsWith(`${base}/`) ? piece.url.slice(base.length) : piece.url;
    return own.startsWith("/") ? (
      <Link key={at} className="link" to={own}>
        {piece.text}
      </Link>
    ) : (
      <a key={at} className="link" href={own} target="_blank" rel="noreferrer">
        {piece.text}
      </a>
    );
  });
}
