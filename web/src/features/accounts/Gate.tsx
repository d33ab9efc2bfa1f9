import type { FormEventHandler, ReactNode } from "react";
import { Mark } from "@/ui/Mark";

type Props = { title: string; lead?: ReactNode; onSubmit?: FormEventHandler<HTMLFormElement>; children: ReactNode };

/** The page before the frame: one form, in the middle of the paper. */
export function Gate({ title, lead, onSubmit, children }: Props) {
  return (
    <main className="gate">
      <form className="grid gap-4" onSubmit={onSubmit} noValidate>
        <Mark size={32} />
        <div>
          <h1>{title}</h1>
          {lead && <p className="muted mt-2">{lead}</p>}
        </div>
        {children}
      </form>
    </main>
  );
}
