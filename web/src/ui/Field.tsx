import { ChevronDown } from "lucide-react";
import { type ComponentProps, createContext, type ReactNode, useContext, useId } from "react";
import { classes } from "./classes";
import { Icon } from "./Icon";
import { StatusGlyph } from "./StatusGlyph";

type Wiring = { id: string; describedBy?: string; invalid: boolean };
const FieldContext = createContext<Wiring | null>(null);

type FieldProps = { label: ReactNode; hint?: ReactNode; error?: ReactNode; className?: string; children: ReactNode };

/** A label, a control, and a line below it. The control inside finds its id and its error by itself. */
export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const line = error ?? hint;
  return (
    <div className={classes("field", className)}>
      <label htmlFor={id}>{label}</label>
      <FieldContext value={{ id, describedBy: line ? `${id}-line` : undefined, invalid: Boolean(error) }}>{children}</FieldContext>
      {line && (
        <p id={`${id}-line`} className={classes("hint", Boolean(error) && "bad")} role={error ? "alert" : undefined}>
          {error && <StatusGlyph status="failed" />}
          {line}
        </p>
      )}
    </div>
  );
}

function useWiring() {
  const field = useContext(FieldContext);
  return field ? { id: field.id, "aria-describedby": field.describedBy, "aria-invalid": field.invalid || undefined } : {};
}

type InputProps = ComponentProps<"input"> & { compact?: boolean; mono?: boolean };

export function Input({ compact, mono, className, ...rest }: InputProps) {
  return <input {...useWiring()} {...rest} className={classes("input", compact && "compact", mono && "mono", className)} />;
}

type TextareaProps = ComponentProps<"textarea"> & { mono?: boolean };

export function Textarea({ mono, className, ...rest }: TextareaProps) {
  return <textarea rows={4} {...useWiring()} {...rest} className={classes("input", mono && "mono", className)} />;
}

type SelectProps = Omit<ComponentProps<"select">, "onChange"> & {
  options: { value: string; label: string; disabled?: boolean }[];
  onValue: (value: string) => void;
  compact?: boolean;
};

/** The select of the platform: it opens as a wheel on phones and needs no style sheet of its own. */
export function Select({ options, onValue, compact, className, ...rest }: SelectProps) {
  return (
    <span className={classes("select", className)}>
      <select
        {...useWiring()}
        {...rest}
        className={classes("input", compact && "compact")}
        onChange={(event) => onValue(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
      <Icon of={ChevronDown} size="s" />
    </span>
  );
}

type TickProps = Omit<ComponentProps<"input">, "type"> & { kind?: "checkbox" | "radio"; children: ReactNode };

/** A checkbox or radio with its words; the words are pressed too. */
export function Tick({ kind = "checkbox", className, children, ...rest }: TickProps) {
  return (
    <label className={classes("tick", className)}>
      <input {...rest} type={kind} className={kind === "radio" ? "radio" : "check"} />
      <span>{children}</span>
    </label>
  );
}

type SwitchProps = { on: boolean; onChange: (on: boolean) => void; label: string; /** Its name where the label alone does not say what is switched. */ name?: string; disabled?: boolean };

/** Takes effect at once; for anything saved later use a Tick. */
export function Switch({ on, onChange, label, name, disabled }: SwitchProps) {
  return (
    <button type="button" className="tick" role="switch" aria-checked={on} aria-label={name} disabled={disabled} onClick={() => onChange(!on)}>
      <span className="switch" aria-hidden="true" data-on={on || undefined} />
      <span>{label}</span>
    </button>
  );
}
