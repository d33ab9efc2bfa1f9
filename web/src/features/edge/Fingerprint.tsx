import { Fragment } from "react";

/** The fingerprint of a key, as the agent says it; a narrow place breaks it only between its groups. */
export function Fingerprint({ of }: { of: string }) {
  return (
    <span className="edge-print">
      {of.split(":").map((group, at) => (
        <Fragment key={at}>
          {at > 0 && (
            <>
              :<wbr />
            </>
          )}
          {group}
        </Fragment>
      ))}
    </span>
  );
}
