import type { ReactNode } from "react";

/** A link out of this server, to what a client named: only to the web, and telling the other side nothing. */
export function ExternalAddress({ url, className, title, children }: { url: string; className?: string; title?: string; children: ReactNode }) {
  if (!/^https?:\/\//i.test(url)) return <span title={url}>{children}</span>;
  return (
    <a className={className} href={url} title={title ?? url} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}
