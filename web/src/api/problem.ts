/** One field of a form that the server refused. */
export type FieldError = { field: string; message: string };

/** What the server said went wrong (RFC 9457), or that it could not be reached at all. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly requestId?: string;
  readonly fields: FieldError[];

  constructor(init: { status: number; title: string; detail?: string; requestId?: string; fields?: FieldError[] }) {
    super(init.detail ?? init.title);
    this.name = "Problem";
    this.status = init.status;
    this.title = init.title;
    this.detail = init.detail;
    this.requestId = init.requestId;
    this.fields = init.fields ?? [];
  }

  /** The message for one field, if the server named it. */
  field(name: string): string | undefined {
    return this.fields.find((error) => error.field === name)?.message;
  }
}

/** The network, and a server that is stopping or busy. What was refused is refused again. */
export function worthRetrying(error: unknown): boolean {
  return !(error instanceof Problem) || [0, 502, 503, 504].includes(error.status);
}

type Body = { title?: unknown; detail?: unknown; request_id?: unknown; errors?: unknown };

const titles: Record<number, string> = {
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  409: "Changed meanwhile",
  413: "Too large",
  429: "Too many requests",
  503: "Busy or stopping",
};

/** Reads a refused response. A body that is no problem document (a proxy's page) still gives a usable sentence. */
export function problemFrom(response: Response, body: unknown): Problem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Body;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return new Problem({
    status: response.status,
    title: text(said.title) ?? titles[response.status] ?? `The server answered ${response.status}`,
    detail: text(said.detail),
    requestId: text(said.request_id) ?? response.headers.get("X-Request-Id") ?? undefined,
    fields: Array.isArray(said.errors) ? said.errors.filter(isFieldError) : [],
  });
}

function isFieldError(value: unknown): value is FieldError {
  return typeof value === "object" && value !== null && "field" in value && "message" in value;
}

/** The network failed before any answer came. */
export function unreachable(cause: unknown): Problem {
  const problem = new Problem({
    status: 0,
    title: "The server cannot be reached",
    detail: "The connection failed before an answer came. It is tried again by itself.",
  });
  problem.cause = cause;
  return problem;
}

/** Anything thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({ status: -1, title: "This page failed", detail: error instanceof Error ? error.message : String(error) });
}
