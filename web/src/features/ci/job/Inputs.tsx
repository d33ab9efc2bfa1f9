import { Facts } from "@/ui/facts";
import { jobAddress, resourceAddress } from "../address";
import { AddressLink } from "../AddressLink";
import type { Job, Pipeline } from "../queries";

/** What a job takes and what it hands on. */
export function Inputs({ pipeline, job }: { pipeline: Pipeline; job: Job }) {
  if (job.inputs.length === 0 && job.outputs.length === 0) return null;
  const resource = (name: string) => (
    <AddressLink className="link" at={resourceAddress(pipeline, name)}>
      {name}
    </AddressLink>
  );
  const starting = job.inputs.filter(({ trigger }) => trigger);
  const taken = job.inputs.filter(({ trigger }) => !trigger);
  const list = (inputs: Job["inputs"]) =>
    inputs.map((input, at) => (
      <span key={input.name}>
        {at > 0 && ", "}
        {resource(input.resource)}
        {input.passed.length > 0 && (
          <span className="muted">
            {" "}
            passed{" "}
            {input.passed.map((name, place) => (
              <span key={name}>
                {place > 0 && ", "}
                <AddressLink className="link" at={jobAddress(pipeline, name)}>
                  {name}
                </AddressLink>
              </span>
            ))}
          </span>
        )}
      </span>
    ));
  const items: [string, React.ReactNode][] = [["Started by", starting.length > 0 ? list(starting) : "hand only"]];
  if (taken.length > 0) items.push(["Also takes", list(taken)]);
  if (job.outputs.length > 0) items.push(["Puts", job.outputs.map((output, at) => <span key={output.name}>{at > 0 && ", "}{resource(output.resource)}</span>)]);
  return (
    <div className="pane">
      <Facts items={items} />
    </div>
  );
}
